#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "core/pool/process_stat.hpp"
#include "core/pool/small_file.hpp"

namespace rr::pool {

ProcessStat ReadProcessStat(pid_t pid) {
    ProcessStat stat;
    char path[64];
    char text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (pid <= 0 || ReadSmallFile(path, text, sizeof(text)) == 0) {
        return stat;
    }
    // Fields behind the name in parentheses, which may contain anything.
    const char* rest = strrchr(text, ')');
    unsigned long user = 0;
    unsigned long system = 0;
    long resident = 0;
    if (rest == nullptr ||
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
               "%*u %ld",
               &user, &system, &resident) != 3) {
        return stat;
    }
    stat.cpu_seconds =
        static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    stat.resident_bytes =
        static_cast<uint64_t>(resident) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return stat;
}

uint64_t FreeMemory() {
    uint64_t free = UINT64_MAX;
    char text[4096];
    if (ReadSmallFile("/proc/meminfo", text, sizeof(text)) > 0) {
        const char* line = strstr(text, "MemAvailable:");
        if (line != nullptr) {
            free = strtoull(line + strlen("MemAvailable:"), nullptr, 10) * 1024;
        }
    }
    char limit[64];
    char used[64];
    if (ReadSmallFile("/sys/fs/cgroup/memory.max", limit, sizeof(limit)) > 0 &&
        strncmp(limit, "max", 3) != 0 &&
        ReadSmallFile("/sys/fs/cgroup/memory.current", used, sizeof(used)) > 0) {
        uint64_t most = strtoull(limit, nullptr, 10);
        uint64_t now = strtoull(used, nullptr, 10);
        free = std::min(free, most > now ? most - now : 0);
    }
    return free;
}

}  // namespace rr::pool
