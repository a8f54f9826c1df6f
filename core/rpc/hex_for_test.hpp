// Bytes as the specifications write them: `15 08 0f`, blanks anywhere.
#pragma once

#include <string>
#include <string_view>

namespace rr::rpc {

inline std::string FromHex(std::string_view text) {
    std::string bytes;
    int high = -1;
    for (char c : text) {
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            continue;
        }
        if (high < 0) {
            high = digit;
            continue;
        }
        bytes.push_back(static_cast<char>(high << 4 | digit));
        high = -1;
    }
    return bytes;
}

inline std::string ToHex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (char c : bytes) {
        text += kDigits[static_cast<unsigned char>(c) >> 4];
        text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
}

}  // namespace rr::rpc
