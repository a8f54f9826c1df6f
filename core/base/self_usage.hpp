// What the system says about our own process.
//
// Thread: any. Some microseconds; with thousands of open descriptors on kernels before 6.2 more.
#pragma once

#include <cstdint>

namespace rr::process {

struct SelfUsage {
    double cpu_seconds = 0;  // user and system
    uint64_t resident_bytes = 0;
    uint64_t virtual_bytes = 0;
    uint64_t open_descriptors = 0;
    uint64_t max_descriptors = 0;
    double start_unix_seconds = 0;
};

// Zero for what the system does not tell.
SelfUsage ReadSelfUsage();

}  // namespace rr::process
