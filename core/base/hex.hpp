// Hexadecimal digits, and the percent escapes of URLs that are made of them.
//
// Thread: pure functions.
#pragma once

#include "core/base/bytes.hpp"

namespace rr {

// 0 to 15; -1: it is none.
constexpr int HexDigit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What `%2f` at this place of `text` stands for: 0 to 255; -1: it is broken. Three bytes make one.
constexpr int EscapedByte(Bytes text, size_t at) {
    const int high = at + 2 < text.size() ? HexDigit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? HexDigit(text[at + 2]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace rr
