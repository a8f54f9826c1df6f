#include "relay/frame.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"

namespace rr::relay {
namespace {

constexpr size_t kChecked = 6;                 // bytes under the CRC
constexpr size_t kChecksumEnd = kChecked + 4;  // enough to check it
constexpr size_t kBaseWords = kFrameBase / 4;

// What PHP's command line prints to stdout when the script is not there.
constexpr Bytes kScriptMissingText = "Could not op";
static_assert(kScriptMissingText.size() == kFrameBase);

using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

// tables[0] is the table of one byte; tables[n] the same byte with n zero bytes behind it, so that
// eight look-ups do not wait for each other.
constexpr CrcTables MakeCrcTables() {
    CrcTables tables{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
        }
        tables[0][byte] = crc;
    }
    for (size_t n = 1; n < tables.size(); ++n) {
        for (size_t byte = 0; byte < 256; ++byte) {
            uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr CrcTables kCrc = MakeCrcTables();

// Written byte by byte: right on every machine, and one instruction on those we build for.
uint32_t LoadU32(const char* in) {
    auto* p = reinterpret_cast<const unsigned char*>(in);
    return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

void StoreU32(uint32_t value, char* out) {
    out[0] = static_cast<char>(value & 0xFF);
    out[1] = static_cast<char>(value >> 8 & 0xFF);
    out[2] = static_cast<char>(value >> 16 & 0xFF);
    out[3] = static_cast<char>(value >> 24 & 0xFF);
}

// Crc32 of the bytes before the checksum. Their number is known, so that no look-up waits for another.
uint32_t HeadChecksum(const char* in) {
    static_assert(kChecked == 6);
    const uint32_t first = ~LoadU32(in);
    return ~(kCrc[5][first & 0xFF] ^ kCrc[4][first >> 8 & 0xFF] ^ kCrc[3][first >> 16 & 0xFF] ^
             kCrc[2][first >> 24] ^ kCrc[1][static_cast<unsigned char>(in[4])] ^
             kCrc[0][static_cast<unsigned char>(in[5])]);
}

FrameScan NeedMore() { return {FrameStatus::kNeedMore, FrameError::kNone}; }

FrameScan Bad(FrameError error) { return {FrameStatus::kBad, error}; }

// The bytes are no frame. "Could " has another checksum than "not ", so that PHP's message always
// ends up here and a good frame never pays for the comparison.
FrameScan NoFrame(Bytes in) {
    size_t seen = std::min(in.size(), kScriptMissingText.size());
    if (in.substr(0, seen) != kScriptMissingText.substr(0, seen)) {
        return Bad(FrameError::kChecksum);
    }
    return seen < kScriptMissingText.size() ? NeedMore() : Bad(FrameError::kScriptMissing);
}

}  // namespace

uint32_t Crc32(Bytes bytes) {
    uint32_t crc = 0xFFFFFFFFU;
    const char* p = bytes.data();
    size_t left = bytes.size();
    for (; left >= 8; left -= 8, p += 8) {
        uint32_t low = crc ^ LoadU32(p);
        uint32_t high = LoadU32(p + 4);
        crc = kCrc[7][low & 0xFF] ^ kCrc[6][low >> 8 & 0xFF] ^ kCrc[5][low >> 16 & 0xFF] ^
              kCrc[4][low >> 24] ^ kCrc[3][high & 0xFF] ^ kCrc[2][high >> 8 & 0xFF] ^
              kCrc[1][high >> 16 & 0xFF] ^ kCrc[0][high >> 24];
    }
    for (; left > 0; --left, ++p) {
        crc = (crc >> 8) ^ kCrc[0][(crc ^ static_cast<unsigned char>(*p)) & 0xFF];
    }
    return ~crc;
}

void EncodeFrameHeader(const FrameHeader& h, char* out) {
    RR_ASSERT(h.options <= kFrameOptions);
    out[0] = static_cast<char>(0x10 | (kBaseWords + h.options));
    out[1] = static_cast<char>(h.flags);
    StoreU32(h.payload, out + 2);
    StoreU32(HeadChecksum(out), out + kChecked);
    out[10] = static_cast<char>(h.stream);
    out[11] = 0;
    for (size_t i = 0; i < h.options; ++i) {
        StoreU32(h.option[i], out + kFrameBase + 4 * i);
    }
}

FrameScan ScanFrameHeader(Bytes in, uint32_t max_payload, FrameHeader& h) {
    if (in.size() < kChecksumEnd) {
        return NeedMore();
    }
    if (HeadChecksum(in.data()) != LoadU32(in.data() + kChecked)) {
        return NoFrame(in);
    }
    // RoadRunner never compares the version nibble; neither do we.
    size_t words = static_cast<unsigned char>(in[0]) & 0x0F;
    if (words < kBaseWords || words > kBaseWords + kFrameOptions) {
        return Bad(FrameError::kHeaderLength);
    }
    uint32_t payload = LoadU32(in.data() + 2);
    if (payload > max_payload) {
        return Bad(FrameError::kTooLarge);
    }
    if (in.size() < words * 4) {
        return NeedMore();
    }
    h.flags = static_cast<uint8_t>(in[1]);
    h.stream = static_cast<uint8_t>(in[10]);
    h.options = static_cast<uint8_t>(words - kBaseWords);
    h.payload = payload;
    h.option.fill(0);
    for (size_t i = 0; i < h.options; ++i) {
        h.option[i] = LoadU32(in.data() + kFrameBase + 4 * i);
    }
    return {FrameStatus::kHeader, FrameError::kNone};
}

const char* Describe(FrameError error) {
    switch (error) {
        case FrameError::kNone: return "no error";
        case FrameError::kChecksum:
            return "the checksum of a frame header does not match: something else was written to "
                   "the relay";
        case FrameError::kHeaderLength: return "the header length of a frame is not possible";
        case FrameError::kTooLarge: return "the payload of a frame is larger than allowed";
        case FrameError::kScriptMissing:
            return "php could not open its input file: check the path of the script";
    }
    return "unknown frame error";
}

}  // namespace rr::relay
