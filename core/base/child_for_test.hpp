// What tests of files on the disk need of the system: a process that is killed in its work, and a
// limit to the size of files that stands for a full disk.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "core/base/callback.hpp"

namespace rr {

// Runs `work` in a child, which says numbers as it goes, and kills it with SIGKILL once it has said
// `enough`. The last number it said; nothing if it ended by itself.
inline std::optional<uint32_t> KillAfter(uint32_t enough,
                                         Callback<void(Callback<void(uint32_t)> say)> work) {
    int ends[2];
    if (pipe(ends) != 0) {
        return std::nullopt;
    }
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work([out = ends[1]](uint32_t number) {
            if (write(out, &number, sizeof number) != sizeof number) {
                _exit(1);
            }
        });
        _exit(0);
    }
    close(ends[1]);
    uint32_t last = 0;
    while (last < enough && read(ends[0], &last, sizeof last) == sizeof last) {
    }
    kill(child, SIGKILL);
    int status = 0;
    const bool killed = waitpid(child, &status, 0) == child && WIFSIGNALED(status);
    while (read(ends[0], &last, sizeof last) == sizeof last) {
    }
    close(ends[0]);
    return killed ? std::optional(last) : std::nullopt;
}

// While it lives no file of this process grows beyond so many bytes: writes fail with EFBIG.
class FileSizeLimit {
public:
    explicit FileSizeLimit(uint64_t most) : previous_(signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit tight{most, old_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &tight);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &old_);
        signal(SIGXFSZ, previous_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit old_{};
    sighandler_t previous_;
};

}  // namespace rr
