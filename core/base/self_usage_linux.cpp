#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "core/base/self_usage.hpp"

namespace rr::process {
namespace {

struct Closer {
    void operator()(DIR* folder) const { closedir(folder); }
    void operator()(FILE* file) const { fclose(file); }
};

// A small file of /proc; its text ends with a zero.
bool ReadProc(const char* path, char* out, size_t size) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const ssize_t got = read(fd, out, size - 1);
    close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0;
}

uint64_t CountDescriptors() {
    struct stat folder{};
    if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) {
        return static_cast<uint64_t>(folder.st_size);  // Linux 6.2: without a look at each
    }
    std::unique_ptr<DIR, Closer> entries(opendir("/proc/self/fd"));
    if (!entries) {
        return 0;
    }
    uint64_t count = 0;
    while (const dirent* entry = readdir(entries.get())) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    return count - 1;  // the descriptor that reads the folder
}

// Ticks since boot, and when that was.
double ReadStart() {
    char text[4096];
    unsigned long long ticks = 0;
    if (!ReadProc("/proc/self/stat", text, sizeof(text))) {
        return 0;
    }
    const char* rest = strrchr(text, ')');  // the name in front may contain anything
    if (rest == nullptr ||
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks) != 1) {
        return 0;
    }
    // The file has a line per processor and interrupt before the one we want.
    std::unique_ptr<FILE, Closer> file(fopen("/proc/stat", "re"));
    char* line = nullptr;
    size_t capacity = 0;
    unsigned long long boot = 0;
    while (file && getline(&line, &capacity, file.get()) > 0) {
        if (sscanf(line, "btime %llu", &boot) == 1) {
            break;
        }
    }
    free(line);
    return static_cast<double>(boot) +
           static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

SelfUsage ReadSelfUsage() {
    static const double kStart = ReadStart();
    SelfUsage usage;
    usage.start_unix_seconds = kStart;
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        usage.cpu_seconds =
            static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    }
    char text[256];
    unsigned long long pages = 0;
    unsigned long long resident = 0;
    if (ReadProc("/proc/self/statm", text, sizeof(text)) &&
        sscanf(text, "%llu %llu", &pages, &resident) == 2) {
        const auto size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
        usage.virtual_bytes = pages * size;
        usage.resident_bytes = resident * size;
    }
    usage.open_descriptors = CountDescriptors();
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        usage.max_descriptors = limit.rlim_cur;
    }
    return usage;
}

}  // namespace rr::process
