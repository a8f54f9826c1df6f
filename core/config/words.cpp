#include "core/config/words.hpp"

namespace rr::config {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool MayBeEscaped(char c, char quote) {
    if (quote == '"') {
        return c == '"' || c == '\\';
    }
    return IsBlank(c) || c == '"' || c == '\'' || c == '\\';
}

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'' && i + 1 < text.size() && MayBeEscaped(text[i + 1], quote)) {
            word += text[++i];
            in_word = true;
        } else if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (IsBlank(c)) {
            if (in_word) {
                words.push_back(std::move(word));
                word.clear();
                in_word = false;
            }
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) {
        return Fail(Errc::kInvalid, std::string("a quote (") + quote + ") is not closed");
    }
    if (in_word) {
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace rr::config
