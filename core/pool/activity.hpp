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
// Thread: any. Some files of /proc are read, which are answered from memory: about 0.1 ms. A list of
// all TCP sockets is looked through only if a socket does not say its peer by itself (it is not
// connected yet, or may not be asked), up to 256 KiB of it: about a millisecond.
#pragma once

#include <sys/types.h>

#include <string>

namespace rr::pool {

// One line without control bytes. A process that is gone "has ended".
std::string DescribeActivity(pid_t pid);

}  // namespace rr::pool
