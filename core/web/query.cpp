#include "core/web/query.hpp"

#include <algorithm>
#include <optional>

#include "core/base/hex.hpp"

namespace rr::web {
namespace {

std::optional<std::string> Decode(std::string_view text) {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int byte = EscapedByte(text, i);
        if (byte < 0) {
            return std::nullopt;
        }
        decoded += static_cast<char>(byte);
        i += 2;
    }
    return decoded;
}

}  // namespace

std::vector<std::string> QueryValues(std::string_view query, std::string_view name) {
    std::vector<std::string> values;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        if (pair.find(';') != std::string_view::npos) {
            continue;
        }
        const size_t equals = std::min(pair.find('='), pair.size());
        if (Decode(pair.substr(0, equals)) != name) {
            continue;
        }
        if (auto value = Decode(pair.substr(std::min(equals + 1, pair.size())))) {
            values.push_back(std::move(*value));
        }
    }
    return values;
}

}  // namespace rr::web
