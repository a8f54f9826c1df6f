#include "core/log/escape.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace rr::log {
namespace {

enum Kind : uint8_t { kSafe, kControl, kQuote, kHigh };

constexpr std::array<uint8_t, 256> kKinds = [] {
    std::array<uint8_t, 256> kinds{};
    for (size_t i = 0; i < 256; ++i) {
        kinds[i] = i < 0x20 ? kControl : i < 0x80 ? kSafe : kHigh;
    }
    kinds['"'] = kQuote;
    kinds['\\'] = kQuote;
    return kinds;
}();

// How many of the first bytes are plain text for certain, eight at a time: no control character, no
// quote, no backslash, nothing above 0x7F.
size_t PlainPrefix(std::string_view text) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHighBits = 0x80 * kOnes;
    const auto is_zero = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
    size_t at = 0;
    while (at + 8 <= text.size()) {
        uint64_t bytes;
        std::memcpy(&bytes, text.data() + at, 8);
        const uint64_t special = (bytes - 0x20 * kOnes) | bytes | is_zero(bytes ^ ('"' * kOnes)) |
                                 is_zero(bytes ^ ('\\' * kOnes));
        if ((special & kHighBits) != 0) {
            break;
        }
        at += 8;
    }
    return at;
}

bool Continues(std::string_view text, size_t at) {
    return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
}

// Length of the UTF-8 sequence (of two bytes or more) at `at`; 0 if there is none. Overlong forms,
// surrogates and numbers above U+10FFFF are none.
size_t SequenceAt(std::string_view text, size_t at) {
    const auto first = static_cast<uint8_t>(text[at]);
    if (first < 0xC2 || first > 0xF4 || !Continues(text, at + 1)) {
        return 0;
    }
    if (first < 0xE0) {
        return 2;
    }
    const auto second = static_cast<uint8_t>(text[at + 1]);
    if (first < 0xF0) {
        const bool valid = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F);
        return valid && Continues(text, at + 2) ? 3 : 0;
    }
    const bool valid = !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
    return valid && Continues(text, at + 2) && Continues(text, at + 3) ? 4 : 0;
}

void AppendControl(Line& line, char c) {
    switch (c) {
        case '\n': line.Append("\\n"); return;
        case '\r': line.Append("\\r"); return;
        case '\t': line.Append("\\t"); return;
        default: break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<uint8_t>(c);
    line.Append("\\u00");
    line.Append(kHex[byte >> 4]);
    line.Append(kHex[byte & 15]);
}

// Runs of bytes that need nothing are copied whole.
template <bool kJson>
void AppendEscaped(Line& line, std::string_view text) {
    size_t start = 0;
    size_t at = PlainPrefix(text);
    const auto flush = [&] { line.Append(text.substr(start, at - start)); };
    while (at < text.size()) {
        const uint8_t kind = kKinds[static_cast<uint8_t>(text[at])];
        if (kind == kSafe || (!kJson && kind == kQuote)) {
            ++at;
            continue;
        }
        if (kind == kHigh) {
            const size_t size = SequenceAt(text, at);
            if (size != 0) {
                at += size;
                continue;
            }
            flush();
            line.Append(kJson ? "\\ufffd" : "\xEF\xBF\xBD");
        } else {
            flush();
            if (kind == kQuote) {
                line.Append('\\');
                line.Append(text[at]);
            } else {
                AppendControl(line, text[at]);
            }
        }
        start = ++at;
    }
    flush();
}

}  // namespace

void AppendJson(Line& line, std::string_view text) { AppendEscaped<true>(line, text); }

void AppendPlain(Line& line, std::string_view text) { AppendEscaped<false>(line, text); }

void AppendRaw(Line& line, std::string_view text) {
    size_t start = 0;
    for (size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
         at = text.find_first_of("\r\n", start)) {
        line.Append(text.substr(start, at - start));
        AppendControl(line, text[at]);
        start = at + 1;
    }
    line.Append(text.substr(start));
}

}  // namespace rr::log
