// Clock vocabulary: monotonic instants for deadlines, wall time for people.
#pragma once

#include <chrono>
#include <cstdint>

namespace rr {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;
using Duration = std::chrono::nanoseconds;
using Deadline = Instant;

inline int64_t UnixNanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace rr
