#include "core/config/dotenv.hpp"

#include <stdlib.h>

#include <algorithm>

#include "core/config/file.hpp"

namespace rr::config {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }

bool IsNameChar(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || byte >= 0x80;
}

std::string_view TrimBlanks(std::string_view text) {
    while (!text.empty() && IsBlank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && IsBlank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string Shown(char c) {
    if (c == '\n') {
        return "\"\\n\"";
    }
    return std::string("\"") + c + "\"";
}

std::string_view FirstLine(std::string_view text) { return text.substr(0, text.find('\n')); }

// Dotenv: a reader over one file's text.
class Reader {
public:
    explicit Reader(Bytes text) : rest_(text) {}

    Result<Variables> Read() {
        while (SkipToStatement()) {
            Result<std::string> name = Name();
            if (!name) {
                return Forward(name);
            }
            Result<std::string> value = Value();
            if (!value) {
                return Forward(value);
            }
            Set(std::move(*name), std::move(*value));
        }
        return std::move(variables_);
    }

private:
    bool SkipToStatement() {
        while (!rest_.empty()) {
            if (rest_[0] == '#') {
                rest_.remove_prefix(FirstLine(rest_).size());
            } else if (rest_[0] == '\n' || IsBlank(rest_[0])) {
                rest_.remove_prefix(1);
            } else {
                return true;
            }
        }
        return false;
    }

    Result<std::string> Name() {
        constexpr std::string_view kExport = "export";
        if (rest_.substr(0, kExport.size()) == kExport && rest_.size() > kExport.size() &&
            IsBlank(rest_[kExport.size()])) {
            rest_.remove_prefix(kExport.size());
            rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t\v\f\r"), rest_.size()));
        }
        size_t n = 0;
        while (n < rest_.size() && rest_[n] != '=' && rest_[n] != ':') {
            if (!IsNameChar(rest_[n]) && !IsBlank(rest_[n])) {
                return Fail(Errc::kInvalid, "unexpected character " + Shown(rest_[n]) +
                                                " in variable name near \"" +
                                                std::string(FirstLine(rest_)) + "\"");
            }
            ++n;
        }
        std::string name(TrimBlanks(rest_.substr(0, n)));
        if (n == rest_.size() || name.empty()) {
            return Fail(Errc::kInvalid,
                        "expected NAME=value near \"" + std::string(FirstLine(rest_)) + "\"");
        }
        rest_.remove_prefix(n + 1);
        return name;
    }

    Result<std::string> Value() {
        rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t\v\f\r"), rest_.size()));
        if (!rest_.empty() && (rest_[0] == '"' || rest_[0] == '\'')) {
            return QuotedValue(rest_[0]);
        }
        const std::string_view line = FirstLine(rest_);
        rest_.remove_prefix(line.size());
        size_t end = line.size();
        for (size_t i = 1; i < line.size(); ++i) {
            if (line[i] == '#' && IsBlank(line[i - 1])) {
                end = i;
                break;
            }
        }
        if (!line.empty() && line[0] == '#') {
            end = 0;
        }
        return Replace(TrimBlanks(line.substr(0, end)));
    }

    Result<std::string> QuotedValue(char quote) {
        size_t end = 1;
        while (end < rest_.size() && rest_[end] != quote) {
            end += rest_[end] == '\\' ? 2 : 1;
        }
        if (end >= rest_.size()) {
            return Fail(Errc::kInvalid,
                        "unterminated quoted value " + std::string(FirstLine(rest_)));
        }
        const std::string_view inner = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return quote == '"' ? Replace(Unescape(inner)) : std::string(inner);
    }

    // Every `\x` becomes x, but for \n, \r and `\$`, which Replace still has to see.
    static std::string Unescape(std::string_view text) {
        std::string out;
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\' || i + 1 == text.size()) {
                out += text[i];
                continue;
            }
            const char c = text[++i];
            if (c == '$') {
                out += '\\';
            }
            out += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        return out;
    }

    // Variables named in capitals; `\$` and `$(` keep the dollar.
    std::string Replace(std::string_view text) const {
        std::string out;
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '$') {
                out += text[++i];
                continue;
            }
            if (text[i] != '$') {
                out += text[i];
                continue;
            }
            const bool braces = i + 1 < text.size() && text[i + 1] == '{';
            const size_t begin = i + (braces ? 2 : 1);
            size_t end = begin;
            while (end < text.size() &&
                   ((text[end] >= 'A' && text[end] <= 'Z') ||
                    (text[end] >= '0' && text[end] <= '9') || text[end] == '_')) {
                ++end;
            }
            if (end == begin) {
                out += '$';
                continue;
            }
            out += Get(text.substr(begin, end - begin));
            i = braces && end < text.size() && text[end] == '}' ? end : end - 1;
        }
        return out;
    }

    std::string Get(std::string_view name) const {
        for (const auto& [known, value] : variables_) {
            if (known == name) {
                return value;
            }
        }
        return {};
    }

    void Set(std::string name, std::string value) {
        for (auto& [known, old] : variables_) {
            if (known == name) {
                old = std::move(value);
                return;
            }
        }
        variables_.emplace_back(std::move(name), std::move(value));
    }

    std::string_view rest_;
    Variables variables_;
};

}  // namespace

Result<Variables> ParseDotenv(Bytes text) {
    if (text.substr(0, 3) == "\xef\xbb\xbf") {
        text.remove_prefix(3);
    }
    if (text.find('\0') != Bytes::npos) {
        return Fail(Errc::kInvalid, "a NUL byte is not allowed");
    }
    std::string unix_lines;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') {
            unix_lines += text[i];
        }
    }
    return Reader(unix_lines).Read();
}

Result<void> ApplyDotenv(const std::string& path, bool overwrite) {
    Result<std::string> text = ReadFile(path);
    if (!text) {
        return Forward(text);
    }
    Result<Variables> variables = ParseDotenv(*text);
    if (!variables) {
        return Forward(variables, path);
    }
    for (const auto& [name, value] : *variables) {
        ::setenv(name.c_str(), value.c_str(), overwrite ? 1 : 0);
    }
    return {};
}

}  // namespace rr::config
