// What middlewares read in the values of HTTP headers.
//
// Thread: values only. Fails: never; what is malformed is simply no match.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rr::http_text {

inline char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; }
inline char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Eight letters at once.
inline uint64_t LowerEight(uint64_t text) {
    constexpr uint64_t kEach = 0x0101010101010101;
    const uint64_t low = text & (kEach * 0x7f);
    const uint64_t from_a = low + kEach * (0x80 - 'A');
    const uint64_t beyond_z = low + kEach * (0x7f - 'Z');
    return text | ((~text & (from_a ^ beyond_z) & (kEach * 0x80)) >> 2);
}

// ASCII letters compare without case. Both have the same size.
inline bool EqualBytes(std::string_view a, std::string_view b) {
    const auto same = [a, b](size_t at) {
        uint64_t x = 0;
        uint64_t y = 0;
        std::memcpy(&x, a.data() + at, sizeof x);
        std::memcpy(&y, b.data() + at, sizeof y);
        return x == y || LowerEight(x) == LowerEight(y);
    };
    const size_t size = a.size();
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        if (!same(at)) {
            return false;
        }
    }
    if (size >= 8) {
        return at == size || same(size - 8);
    }
    for (; at < size; ++at) {
        if (Lower(a[at]) != Lower(b[at])) {
            return false;
        }
    }
    return true;
}

// Most texts differ in their size already.
inline bool Equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && EqualBytes(a, b);
}
inline bool StartsWith(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && Equal(text.substr(0, start.size()), start);
}

// What a name of a header is made of.
inline bool IsToken(std::string_view text) {
    constexpr std::string_view kBytes =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return !text.empty() && text.find_first_not_of(kBytes) == std::string_view::npos;
}

// What can stand in a header: no line ends, no NUL.
inline bool IsValue(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// The first letter of each part between `-` upper, the rest lower: Content-Type.
inline std::string Canonical(std::string_view name) {
    std::string canonical(name);
    bool upper = true;
    for (char& c : canonical) {
        c = Lower(c);
        if (upper && c >= 'a' && c <= 'z') {
            c = static_cast<char>(c & ~0x20);
        }
        upper = c == '-';
    }
    return canonical;
}

// Without blanks and tabs at both ends.
inline std::string_view Trim(std::string_view text) {
    size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cuts what stands before the next `mark` off `text`, trimmed; a mark inside of quotes is none. False
// at the end.
inline bool Next(std::string_view& text, char mark, std::string_view& item) {
    if (text.empty()) {
        return false;
    }
    size_t end = 0;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != mark); ++end) {
        quoted = quoted != (text[end] == '"');
    }
    item = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return true;
}

// True if the comma-separated list has `item`, without case.
inline bool Lists(std::string_view list, std::string_view item) {
    for (std::string_view next; Next(list, ',', next);) {
        if (Equal(next, item)) {
            return true;
        }
    }
    return false;
}

// A Content-Length as Go reads it: digits, up to INT64_MAX.
inline bool ParseLength(std::string_view text, uint64_t& out) {
    constexpr size_t kMostDigits = 19;  // any 19 digits fit into 64 bits
    if (text.empty() || text.size() > kMostDigits) {
        return false;
    }
    uint64_t value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    out = value;
    return value <= INT64_MAX;
}

// An entity tag without what makes it a weak one: two that are equal so match weakly.
inline std::string_view Opaque(std::string_view etag) {
    return etag.substr(0, 2) == "W/" ? etag.substr(2) : etag;
}

}  // namespace rr::http_text
