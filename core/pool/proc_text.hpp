// What Linux tells about processes in files of /proc, read from their text. Nothing is opened here.
//
// Thread: any.
// Fails:  text that makes no sense is as good as none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"

namespace rr::pool {

// /proc/PID/stat, its beginning: `1234 (php) S ...`. The name may contain anything.
struct StatText {
    char state = '\0';  // R, S, D ...; 0: unreadable
    Bytes name;         // `php`
};
StatText ParseStat(Bytes text);

// /proc/PID/syscall:
//
//   running                            on a processor
//   -1 0x7ffc... 0x7f6f...             blocked, but not by a call of its own: a page is on its way
//   7 0x7ffc... 0x1 0x3e8 0x0 ...      in call 7 with these arguments, behind them two addresses
struct SyscallText {
    enum class Where : uint8_t { kUnknown, kRunning, kOutside, kInside };
    Where where = Where::kUnknown;
    int64_t number = 0;
    std::array<uint64_t, 6> argument{};
};
SyscallText ParseSyscall(Bytes text);

// `VmHWM:     1660 kB` of /proc/PID/status, in bytes; 0: not there.
uint64_t ParsePeakMemory(Bytes status);

// What a link in /proc/PID/fd leads to: 1234 of `socket:[1234]`.
std::optional<uint64_t> ParseSocketLink(Bytes link);

// The descriptors that an epoll watches, from its /proc/PID/fdinfo/N; at most `most`.
std::vector<int> ParseWatched(Bytes info, size_t most);

// The first number of /proc/PID/task/PID/children; 0: none.
int ParseFirstChild(Bytes text);

// A line of /proc/PID/net/tcp or tcp6:
//
//   0: 0100007F:B2C4 0100007F:18EB 01 00000000:00000000 00:00000000 00000000  0  0 1234 ...
//      local         remote        state                                           inode
struct SocketLine {
    uint64_t inode = 0;
    bool listening = false;
    std::string address;  // the remote one, of a listening socket the local one: `127.0.0.1:6379`
};
std::optional<SocketLine> ParseSocketLine(Bytes line);

}  // namespace rr::pool
