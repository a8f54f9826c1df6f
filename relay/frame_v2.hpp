// The Goridge v2 message as pure bytes, spoken by workers and clients of RoadRunner 1.x.
//
//   offset size
//   0      1    flags
//   1      8    payload length, little-endian
//   9      8    the same length, big-endian
//   17     n    payload
//
// A request or answer is two messages: the context (CONTROL|RAW, or CONTROL|NONE if null), then the
// body. A job error is one message with CONTROL|RAW|ERROR. Thread: values only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::relay::v2 {

namespace flag {
inline constexpr uint8_t kNone = 2;
inline constexpr uint8_t kRaw = 4;
inline constexpr uint8_t kError = 8;
inline constexpr uint8_t kControl = 16;
}  // namespace flag

inline constexpr size_t kPrefixSize = 17;

struct Prefix {
    uint8_t flags = 0;
    uint64_t payload = 0;  // 0 when kNone is set, whatever the field says
};

// Writes kPrefixSize bytes.
void EncodePrefix(const Prefix& p, char* out);

enum class Scan : uint8_t { kNeedMore, kPrefix, kMismatch, kTooLarge };

// Looks for a prefix at the start of `in`; lengths that disagree or exceed max_payload are refused.
Scan ScanPrefix(Bytes in, uint64_t max_payload, Prefix& p);

}  // namespace rr::relay::v2
