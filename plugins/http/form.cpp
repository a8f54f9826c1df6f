#include "plugins/http/form.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "core/base/json_text.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/media_type.hpp"

namespace rr::http {
namespace {

constexpr size_t kMostParameters = 10000;

BodyFault Bad(std::string reason) { return {400, std::move(reason)}; }

BodyFault BadEscape(Bytes text, size_t at) {
    // Go quotes the three bytes; what is not printable ASCII is escaped.
    constexpr char kHex[] = "0123456789abcdef";
    std::string quoted;
    for (char c : text.substr(at, 3)) {
        unsigned char byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            quoted.push_back('\\');
            quoted.push_back(c);
        } else if (byte >= 0x20 && byte < 0x7f) {
            quoted.push_back(c);
        } else {
            quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return Bad("invalid URL escape \"" + quoted + "\"");
}

// Go's url.ParseQuery: goes on after a bad pair; the last semicolon beats the first bad escape.
template <class Each>
BodyFault ParsePairs(Bytes text, Each each) {
    if (static_cast<size_t>(std::count(text.begin(), text.end(), '&')) + 1 > kMostParameters) {
        return Bad("number of URL query parameters exceeded limit");
    }
    BodyFault fault;
    std::string name;
    std::string value;
    while (!text.empty()) {
        size_t ampersand = std::min(text.find('&'), text.size());
        Bytes pair = text.substr(0, ampersand);
        text.remove_prefix(std::min(ampersand + 1, text.size()));
        if (pair.find(';') != Bytes::npos) {
            fault = Bad("invalid semicolon separator in query");
            continue;
        }
        if (pair.empty()) {
            continue;
        }
        size_t equals = std::min(pair.find('='), pair.size());
        Bytes key = pair.substr(0, equals);
        Bytes rest = pair.substr(std::min(equals + 1, pair.size()));
        name.clear();
        value.clear();
        size_t bad = 0;
        if (!DecodeQuery(key, name, bad)) {
            fault = fault ? fault : BadEscape(key, bad);
        } else if (!DecodeQuery(rest, value, bad)) {
            fault = fault ? fault : BadEscape(rest, bad);
        } else if (!fault) {
            each(Bytes(name), Bytes(value));
        }
    }
    return fault;
}

}  // namespace

bool DecodeQuery(Bytes text, std::string& out, size_t& bad) {
    for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '+') {
            out.push_back(' ');
        } else if (c == '%') {
            const int byte = EscapedByte(text, i);
            if (byte < 0) {
                bad = i;
                return false;
            }
            out.push_back(static_cast<char>(byte));
            i += 2;
        } else {
            out.push_back(c);
        }
    }
    return true;
}

BodyFault FormFields::Add(Bytes name, Bytes value) {
    Begin(name);
    Append(value);
    return End();
}

void FormFields::Begin(Bytes name) {
    name_ = name;
    values_.push_back({bytes_.size(), 0});
}

void FormFields::Append(Bytes piece) {
    bytes_ += piece;
    values_.back().size += piece.size();
}

BodyFault FormFields::End() {
    uint32_t leaf = static_cast<uint32_t>(values_.size() - 1);
    if (tree_.Add(name_, leaf, values_.back().size == 0)) {
        return {};
    }
    return Bad("invalid multiple values to key '" + std::string(tree_.conflict()) + "' in tree");
}

void FormFields::Clear() {
    tree_.Clear();
    name_.clear();
    bytes_.clear();
    values_.clear();
}

void FormFields::WriteLeaf(uint32_t leaf, Buffer& out) const {
    const Value& value = values_[leaf];
    AppendJsonString(Bytes(bytes_).substr(value.at, value.size), out);
}

BodyFault ParseForm(Bytes content_type, Bytes body, Bytes query, FormFields& fields) {
    MediaType type;
    if (Bytes reason = ParseMediaType(content_type, type); !reason.empty()) {
        return Bad(std::string(reason));
    }
    BodyFault conflict;
    // The name may stand elsewhere in the header than as its type: then there are no fields.
    if (type.type == "application/x-www-form-urlencoded") {
        BodyFault fault = ParsePairs(body, [&](Bytes name, Bytes value) {
            if (!conflict) {
                conflict = fields.Add(name, value);
            }
        });
        if (fault) {
            return fault;
        }
    }
    BodyFault fault = CheckQuery(query);
    return fault ? fault : conflict;
}

BodyFault CheckQuery(Bytes query) {
    return ParsePairs(query, [](Bytes, Bytes) {});
}

}  // namespace rr::http
