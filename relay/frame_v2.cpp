#include "relay/frame_v2.hpp"

namespace rr::relay::v2 {
namespace {

constexpr size_t kLittle = 1;  // offset of the length, least significant byte first
constexpr size_t kBig = 9;     // offset of the length, most significant byte first

}  // namespace

void EncodePrefix(const Prefix& p, char* out) {
    uint64_t payload = (p.flags & flag::kNone) != 0 ? 0 : p.payload;
    out[0] = static_cast<char>(p.flags);
    for (size_t i = 0; i < 8; ++i) {
        char byte = static_cast<char>(payload >> (8 * i) & 0xFF);
        out[kLittle + i] = byte;
        out[kBig + 7 - i] = byte;
    }
}

Scan ScanPrefix(Bytes in, uint64_t max_payload, Prefix& p) {
    if (in.size() < kPrefixSize) {
        return Scan::kNeedMore;
    }
    uint64_t payload = 0;
    for (size_t i = 0; i < 8; ++i) {
        if (in[kLittle + i] != in[kBig + 7 - i]) {
            return Scan::kMismatch;
        }
        payload |= uint64_t{static_cast<unsigned char>(in[kLittle + i])} << (8 * i);
    }
    uint8_t flags = static_cast<uint8_t>(in[0]);
    if ((flags & flag::kNone) != 0) {
        payload = 0;
    }
    if (payload > max_payload) {
        return Scan::kTooLarge;
    }
    p.flags = flags;
    p.payload = payload;
    return Scan::kPrefix;
}

}  // namespace rr::relay::v2
