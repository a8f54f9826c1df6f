#include "core/base/uuid.hpp"

#include <sys/random.h>

#include "core/base/check.hpp"
#include "core/base/hex.hpp"

namespace rr {
namespace {

constexpr size_t kBatch = 256;  // what getrandom gives in one piece, whatever happens

constexpr bool IsHyphen(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::Random() {
    // One system call for sixteen of them.
    thread_local std::array<uint8_t, kBatch> batch;
    thread_local size_t used = kBatch;
    Uuid uuid;
    if (used == kBatch) {
        RR_CHECK(getrandom(batch.data(), kBatch, 0) == kBatch);
        used = 0;
    }
    std::memcpy(uuid.bytes.data(), batch.data() + used, uuid.bytes.size());
    std::memset(batch.data() + used, 0, uuid.bytes.size());
    used += uuid.bytes.size();
    uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

bool Uuid::Parse(std::string_view text, Uuid& out) {
    if (text.size() != kTextSize) {
        return false;
    }
    size_t digits = 0;
    for (size_t i = 0; i < kTextSize; ++i) {
        if (IsHyphen(i)) {
            if (text[i] != '-') {
                return false;
            }
            continue;
        }
        int digit = HexDigit(text[i]);
        if (digit < 0) {
            return false;
        }
        uint8_t& byte = out.bytes[digits / 2];
        byte = static_cast<uint8_t>(digits % 2 == 0 ? digit << 4 : byte | digit);
        ++digits;
    }
    return true;
}

void Uuid::Write(char* out) const {
    constexpr char kHex[] = "0123456789abcdef";
    size_t digits = 0;
    for (size_t i = 0; i < kTextSize; ++i) {
        if (IsHyphen(i)) {
            out[i] = '-';
            continue;
        }
        uint8_t byte = bytes[digits / 2];
        out[i] = kHex[digits % 2 == 0 ? byte >> 4 : byte & 15];
        ++digits;
    }
}

std::string Uuid::ToString() const {
    std::string text(kTextSize, '\0');
    Write(text.data());
    return text;
}

}  // namespace rr
