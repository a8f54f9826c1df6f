#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/pool/meter.hpp"
#include "core/pool/proc_text.hpp"

namespace rr::pool {
namespace {

int OpenOf(pid_t pid, const char* file, int mode) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    return open(path, mode | O_CLOEXEC);
}

}  // namespace

Meter::Meter(pid_t pid, bool memory) : clocked_(clock_getcpuclockid(pid, &clock_) == 0) {
    if (memory) {
        reset_ = OpenOf(pid, "clear_refs", O_WRONLY);
        status_ = OpenOf(pid, "status", O_RDONLY);
    }
}

Meter::~Meter() {
    for (int fd : {reset_, status_}) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

Duration Meter::Now() const {
    timespec now{};
    if (!clocked_ || clock_gettime(clock_, &now) != 0) {
        return kUnknownTime;
    }
    return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

void Meter::Begin() {
    // 5: the peak is what is resident now. The rest of the file's powers we leave alone.
    peak_reset_ = reset_ >= 0 && pwrite(reset_, "5", 1, 0) == 1;
    begun_ = Now();
}

Duration Meter::Cpu() const { return CpuOf(Now()); }

uint64_t Meter::PeakMemory() const {
    char text[4096];
    if (!peak_reset_ || status_ < 0) {
        return 0;
    }
    ssize_t got = pread(status_, text, sizeof(text), 0);
    return got > 0 ? ParsePeakMemory(Bytes(text, static_cast<size_t>(got))) : 0;
}

}  // namespace rr::pool
