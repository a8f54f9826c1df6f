// The Goridge v3 frame as pure bytes. All integers little-endian.
//
//   offset size
//   0      1    version (high nibble, 1) and header length in 32-bit words (low nibble, 3..13)
//   1      1    flags
//   2      4    payload length (options not counted)
//   6      4    CRC-32/IEEE of bytes 0..5
//   10     1    stream flags (outside the CRC)
//   11     1    reserved, 0
//   12     4*n  options, n = header length - 3
//   ...         payload
//
// Source: the wire format of spiral/goridge 3 and 4. Thread: values only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::relay {

namespace flag {  // byte 1
inline constexpr uint8_t kControl = 0x01;
inline constexpr uint8_t kRaw = 0x04;
inline constexpr uint8_t kJson = 0x08;
inline constexpr uint8_t kMsgpack = 0x10;
inline constexpr uint8_t kGob = 0x20;
inline constexpr uint8_t kError = 0x40;
inline constexpr uint8_t kProto = 0x80;
}  // namespace flag

namespace stream {  // byte 10
inline constexpr uint8_t kStream = 0x01;
inline constexpr uint8_t kStop = 0x02;
inline constexpr uint8_t kPing = 0x04;
inline constexpr uint8_t kPong = 0x08;
}  // namespace stream

inline constexpr size_t kFrameBase = 12;     // header without options
inline constexpr size_t kFrameOptions = 10;  // at most
inline constexpr size_t kFrameHeaderMax = kFrameBase + 4 * kFrameOptions;

struct FrameHeader {
    uint8_t flags = 0;
    uint8_t stream = 0;
    uint8_t options = 0;  // how many of `option` count
    uint32_t payload = 0;
    std::array<uint32_t, kFrameOptions> option{};

    size_t size() const { return kFrameBase + 4 * size_t{options}; }
};

// Writes the header into `out`, which has h.size() bytes: place it right in front of the payload.
void EncodeFrameHeader(const FrameHeader& h, char* out);

enum class FrameError : uint8_t {
    kNone,
    kChecksum,       // CRC does not match: the channel carries something else
    kHeaderLength,   // header length nibble below 3 or above 13
    kTooLarge,       // payload above the limit
    kScriptMissing,  // PHP's `Could not open input file` where a frame should begin
};

// Text for people; never null.
const char* Describe(FrameError error);

enum class FrameStatus : uint8_t { kNeedMore, kHeader, kBad };

// Looks for a header at the start of `in`. kHeader: `h` is filled and h.size() bytes are the
// header. The CRC is checked as soon as 10 bytes are there, before option bytes are waited for, and
// the payload length against max_payload before anybody allocates for it.
struct FrameScan {
    FrameStatus status;
    FrameError error;  // of kBad
};
FrameScan ScanFrameHeader(Bytes in, uint32_t max_payload, FrameHeader& h);

// CRC-32/IEEE (zlib's) of bytes.
uint32_t Crc32(Bytes bytes);

// Ready frames without options.
inline constexpr char kStopStreamFrame[12] = {
    0x13, 0, 0, 0, 0, 0, '\x96', '\xd1', '\x80', '\x34', stream::kStop, 0};
inline constexpr char kPongFrame[12] = {
    0x13, 0, 0, 0, 0, 0, '\x96', '\xd1', '\x80', '\x34', stream::kPong, 0};

}  // namespace rr::relay
