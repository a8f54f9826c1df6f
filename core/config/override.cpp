#include "core/config/override.hpp"

#include <algorithm>

#include "core/config/values.hpp"

namespace rr::config {
namespace {

// `"a \"b\""` -> `a "b"`; the same for ' and `.
std::string Unquote(std::string_view value) {
    const char quote = value[0];
    if (quote != '"' && quote != '\'' && quote != '`') {
        return std::string(value);
    }
    const size_t first = value.find_first_not_of(quote);
    if (first == std::string_view::npos) {
        return {};
    }
    size_t end = value.find_last_not_of(quote) + 1;
    // A quote that is escaped at the very end belongs to the text.
    if (value[end - 1] == '\\' && end < value.size()) {
        ++end;
    }
    value = value.substr(first, end - first);
    std::string out;
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size() && value[i + 1] == quote) {
            continue;
        }
        out += value[i];
    }
    return out;
}

}  // namespace

Result<Override> ParseOverride(std::string_view argument) {
    const size_t begin = std::min(argument.find_first_not_of(" \"'`"), argument.size());
    const std::string_view rest = argument.substr(begin);
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
        return Fail(Errc::kConfig, "invalid flag `" + std::string(argument) + "`");
    }
    const std::string_view key = Trim(rest.substr(0, equals));
    const std::string_view value = Trim(rest.substr(equals + 1));
    if (key.empty()) {
        return Fail(Errc::kConfig, "key should not be empty");
    }
    if (value.empty()) {
        return Fail(Errc::kConfig, "value should not be empty");
    }
    return Override{LowerCase(key), Unquote(value)};
}

bool Apply(const Override& override, const std::shared_ptr<const Source>& source, Node& root) {
    return root.PutPath(override.key, Node::Text(override.value, {source, 0}));
}

}  // namespace rr::config
