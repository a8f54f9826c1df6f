// What the system says about a process. Thread: any.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace rr::pool {

struct ProcessStat {
    uint64_t resident_bytes = 0;
    double cpu_seconds = 0;  // user and system, since the process started
};

// Zeros for a process that is gone.
ProcessStat ReadProcessStat(pid_t pid);

// Memory that the machine, or our cgroup, can still give; UINT64_MAX if unknown.
uint64_t FreeMemory();

}  // namespace rr::pool
