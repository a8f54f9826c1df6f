// Ranges: `Range: bytes=0-99,200-`, as parts of a file of a known size.
//
// A list that would make us send more than the file has, or that is longer than any honest one, is
// answered with all of the file: many small or overlapping parts are an attack.
//
// Thread: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

namespace rr::files {

struct ByteRange {
    uint64_t offset = 0;
    uint64_t size = 0;
};

class Ranges {
public:
    static constexpr size_t kMost = 32;
    enum class Kind : uint8_t {
        kWhole,      // no range, of another unit, or too many
        kParts,      // one or more
        kNoOverlap,  // 416: none of them lies in the file
        kBroken,     // 416: no list of ranges
    };

    // text: the header's value.
    static Ranges Parse(Bytes text, uint64_t size);

    Kind kind() const { return kind_; }
    std::span<const ByteRange> parts() const { return {parts_.data(), count_}; }

private:
    Kind kind_ = Kind::kWhole;
    size_t count_ = 0;
    std::array<ByteRange, kMost> parts_;
};

}  // namespace rr::files
