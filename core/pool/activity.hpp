// What a process does at this moment, in words:
//
//   runs, or waits for a processor
//   sleeps in clock_nanosleep
//   waits in poll for 10.0.0.5:3306
//   waits in flock for /app/cache.lock
//   waits in wait4 for process 4711 (convert), which runs, or waits for a processor
//   waits                             that is all the system lets us know
//
// Which call it is in, and for what, may be known by those who may trace the process: its parent, if
// both belong to the same user, and root. Others are told whether it runs or waits, and perhaps the
// name of the kernel's function.
//
// Thread: any. Some files of /proc are read, which are answered from memory: 20 to 40 us.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/time.hpp"

namespace rr::pool {

// SocketSearch: permission to look for a socket in the lists of all sockets. Only needed where the
// socket itself may not be asked for its peer (containers: pidfd_getfd is refused there), and dear:
// some 10 ms, up to 256 KiB of text. So it is given once a second; else it is just "a socket".
//
// Thread: that of its owner.
class SocketSearch {
public:
    bool Take(Instant now) {
        bool taken = now >= next_;
        if (taken) {
            next_ = now + std::chrono::seconds(1);
        }
        return taken;
    }

private:
    Instant next_;
};

// One line without control bytes. A process that is gone "has ended".
std::string DescribeActivity(pid_t pid, SocketSearch& search);

}  // namespace rr::pool
