#include "core/rpc/base64.hpp"

#include <array>
#include <cstdint>

namespace rr::rpc {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 64;

constexpr std::array<uint8_t, 256> kDigits = [] {
    std::array<uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (uint8_t i = 0; i < kAlphabet.size(); ++i) {
        digits[static_cast<unsigned char>(kAlphabet[i])] = i;
    }
    return digits;
}();

uint32_t At(Bytes bytes, size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

}  // namespace

void WriteBase64(Bytes bytes, Buffer& out) {
    size_t size = (bytes.size() + 2) / 3 * 4;
    out.Reserve(size);
    char* to = out.tail();
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t three = At(bytes, i) << 16 | At(bytes, i + 1) << 8 | At(bytes, i + 2);
        *to++ = kAlphabet[three >> 18 & 63];
        *to++ = kAlphabet[three >> 12 & 63];
        *to++ = i + 1 < bytes.size() ? kAlphabet[three >> 6 & 63] : '=';
        *to++ = i + 2 < bytes.size() ? kAlphabet[three & 63] : '=';
    }
    out.Commit(size);
}

bool ReadBase64(std::string_view text, std::string& out) {
    out.clear();
    out.reserve(text.size() / 4 * 3);
    uint32_t bits = 0;
    size_t digits = 0;
    size_t padding = 0;
    for (char c : text) {
        if (c == '\r' || c == '\n') {
            continue;
        }
        uint8_t digit = kDigits[static_cast<unsigned char>(c)];
        if (c == '=' && (digits % 4 >= 2)) {
            ++padding;
            digit = 0;
        } else if (digit == kNoDigit || padding > 0) {
            return false;
        }
        bits = bits << 6 | digit;
        if (++digits % 4 == 0) {
            out.push_back(static_cast<char>(bits >> 16 & 0xFF));
            out.push_back(static_cast<char>(bits >> 8 & 0xFF));
            out.push_back(static_cast<char>(bits & 0xFF));
            bits = 0;
            if (padding > 0) {
                out.resize(out.size() - padding);
                padding = 4;  // nothing may follow
            }
        }
    }
    return digits % 4 == 0;
}

}  // namespace rr::rpc
