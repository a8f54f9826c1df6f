// Sampler: whether a trace is recorded. Its first server decides; with `by_parent`, later ones follow.
//
// Thread: a constant value.
#pragma once

#include <cstdint>

#include "plugins/otel/ids.hpp"

namespace rr::otel {

struct Sampler {
    static constexpr uint64_t kAlways = uint64_t{1} << 63;

    bool by_parent = true;
    uint64_t bound =
        kAlways;  // of the 63 bits that decide; of equal traces all servers think alike

    bool Sample(const TraceId& trace) const {
        uint64_t number = 0;
        for (size_t i = 8; i < 16; ++i) {
            number = number << 8 | trace.bytes[i];
        }
        return number >> 1 < bound;
    }
};

}  // namespace rr::otel
