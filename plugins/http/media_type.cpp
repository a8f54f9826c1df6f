#include "plugins/http/media_type.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {
namespace {

constexpr Bytes kBadParameter = "mime: invalid media parameter";
constexpr size_t kMostParameters = 100;  // real ones have two or three

bool IsBlank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

Bytes TrimLeft(Bytes text) {
    while (!text.empty() && IsBlank(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

Bytes Trim(Bytes text) {
    text = TrimLeft(text);
    while (!text.empty() && IsBlank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string Lower(Bytes text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), ToLower);
    return lower;
}

Bytes TakeToken(Bytes& text) {
    size_t size = 0;
    while (size < text.size() && IsTokenByte(text[size])) {
        ++size;
    }
    Bytes token = text.substr(0, size);
    text.remove_prefix(size);
    return token;
}

Bytes CheckType(Bytes type) {
    if (TakeToken(type).empty()) {
        return "mime: no media type";
    }
    if (type.empty()) {
        return {};  // `form-data`
    }
    if (type.front() != '/') {
        return "mime: expected slash after first token";
    }
    type.remove_prefix(1);
    if (TakeToken(type).empty()) {
        return "mime: expected token after slash";
    }
    return type.empty() ? Bytes() : Bytes("mime: unexpected content after media subtype");
}

bool TakeQuoted(Bytes& text, std::string& out) {
    for (size_t i = 1; i < text.size(); ++i) {
        char c = text[i];
        if (c == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
        // MSIE sends paths with unescaped backslashes, so only specials are taken as escaped.
        if (c == '\\' && i + 1 < text.size() &&
            Bytes("()<>@,;:\\\"/[]?=").find(text[i + 1]) != Bytes::npos) {
            out.push_back(text[++i]);
            continue;
        }
        if (c == '\r' || c == '\n') {
            return false;
        }
        out.push_back(c);
    }
    return false;
}

// `; name = value`. False: `text` does not begin with one.
bool TakeParameter(Bytes& text, std::string& name, std::string& value) {
    Bytes rest = TrimLeft(text);
    if (rest.empty() || rest.front() != ';') {
        return false;
    }
    rest = TrimLeft(rest.substr(1));
    name = Lower(TakeToken(rest));
    rest = TrimLeft(rest);
    if (name.empty() || rest.empty() || rest.front() != '=') {
        return false;
    }
    rest = TrimLeft(rest.substr(1));
    value.clear();
    if (!rest.empty() && rest.front() == '"') {
        if (!TakeQuoted(rest, value)) {
            return false;
        }
    } else {
        value = TakeToken(rest);
        if (value.empty()) {
            return false;
        }
    }
    text = rest;
    return true;
}

bool Unescape(Bytes text, std::string& out) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int byte = EscapedByte(text, i);
        if (byte < 0) {
            return false;
        }
        out.push_back(static_cast<char>(byte));
        i += 2;
    }
    return true;
}

// RFC 2231: charset'language'text
bool DecodeExtended(Bytes text, std::string& out) {
    size_t first = text.find('\'');
    size_t second = first == Bytes::npos ? first : text.find('\'', first + 1);
    if (second == Bytes::npos) {
        return false;
    }
    std::string charset = Lower(text.substr(0, first));
    if (charset != "us-ascii" && charset != "utf-8") {
        return false;
    }
    std::string decoded;
    if (!Unescape(text.substr(second + 1), decoded)) {
        return false;
    }
    out += decoded;
    return true;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

const std::string* FindIn(const Parameters& all, Bytes name) {
    for (const auto& [key, value] : all) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

void Set(Parameters& all, const std::string& name, std::string value) {
    for (auto& [key, old] : all) {
        if (key == name) {
            old = std::move(value);
            return;
        }
    }
    all.emplace_back(name, std::move(value));
}

// Puts `name*`, `name*0`, `name*1*` ... together.
void Stitch(const Parameters& pieces, Parameters& out) {
    std::vector<std::string> names;
    for (const auto& piece : pieces) {
        std::string base = piece.first.substr(0, piece.first.find('*'));
        if (std::find(names.begin(), names.end(), base) == names.end()) {
            names.push_back(base);
        }
    }
    for (const std::string& name : names) {
        if (const std::string* single = FindIn(pieces, name + "*")) {
            std::string decoded;
            if (DecodeExtended(*single, decoded)) {
                Set(out, name, std::move(decoded));
            }
            continue;
        }
        std::string whole;
        size_t n = 0;
        for (;; ++n) {
            std::string key = name + "*" + std::to_string(n);
            if (const std::string* plain = FindIn(pieces, key)) {
                whole += *plain;
                continue;
            }
            const std::string* encoded = FindIn(pieces, key + "*");
            if (encoded == nullptr) {
                break;
            }
            if (n == 0) {
                DecodeExtended(*encoded, whole);
            } else {
                Unescape(*encoded, whole);
            }
        }
        if (n > 0) {
            Set(out, name, std::move(whole));
        }
    }
}

}  // namespace

const std::string* MediaType::Find(Bytes name) const { return FindIn(parameters, name); }

Bytes ParseMediaType(Bytes text, MediaType& out) {
    out = MediaType{};
    size_t semicolon = std::min(text.find(';'), text.size());
    std::string type = Lower(Trim(text.substr(0, semicolon)));
    if (Bytes fault = CheckType(type); !fault.empty()) {
        return fault;
    }
    text.remove_prefix(semicolon);
    Parameters plain;
    Parameters pieces;
    std::string name;
    std::string value;
    while (!(text = TrimLeft(text)).empty()) {
        if (!TakeParameter(text, name, value)) {
            if (Trim(text) == ";") {
                break;
            }
            out.type = std::move(type);
            return kBadParameter;
        }
        Parameters& all = name.find('*') == std::string::npos ? plain : pieces;
        if (const std::string* known = FindIn(all, name)) {
            if (*known != value) {
                return "mime: duplicate parameter name";
            }
            continue;
        }
        if (plain.size() + pieces.size() == kMostParameters) {
            return kBadParameter;
        }
        all.emplace_back(name, value);
    }
    out.type = std::move(type);
    out.parameters = std::move(plain);
    Stitch(pieces, out.parameters);
    return {};
}

}  // namespace rr::http
