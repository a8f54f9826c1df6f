// Meter: what a process uses from one moment to the next: processor time, and the peak of its memory.
//
// Thread: that of its owner.
// Owns:   two descriptors of files in /proc, if memory is metered.
// Fails:  what the system does not tell is kUnknownTime, or 0 bytes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>

#include "core/base/time.hpp"

namespace rr::pool {

inline constexpr Duration kUnknownTime{-1};

class Meter {
public:
    // Costs of one request: processor time 1.5 us, the peak of memory 20 us more.
    Meter(pid_t pid, bool memory);
    ~Meter();
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;

    void Begin();

    // Since Begin. Of a process that was reaped: unknown.
    Duration Cpu() const;
    // Bytes that were resident at the same time, at most, since Begin. The kernel counts in batches
    // of pages: some 100 KiB may be missing.
    uint64_t PeakMemory() const;

    // Since Begin, of a process that used `total` in all of its life.
    Duration CpuOf(Duration total) const {
        return total < Duration::zero() || begun_ < Duration::zero() ? kUnknownTime
                                                                     : total - begun_;
    }

private:
    Duration Now() const;

    clockid_t clock_{};
    bool clocked_ = false;
    int reset_ = -1;   // /proc/PID/clear_refs
    int status_ = -1;  // /proc/PID/status
    bool peak_reset_ = false;
    Duration begun_ = kUnknownTime;
};

}  // namespace rr::pool
