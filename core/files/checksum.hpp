// CRC-32 in the two polynomials with which RoadRunner makes ETags. Both are reflected, begin with
// 0xffffffff and end with a complement, as zlib's does.
//
// Thread: pure functions.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::files {

enum class Polynomial : uint8_t {
    kStatic,      // 0x48D90782
    kFileserver,  // 0xD5828281
};

// Continues `crc`, which begins with 0.
uint32_t Checksum(Polynomial polynomial, Bytes bytes, uint32_t crc = 0);

}  // namespace rr::files
