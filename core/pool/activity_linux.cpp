#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "core/pool/activity.hpp"
#include "core/pool/proc_text.hpp"
#include "core/pool/small_file.hpp"

namespace rr::pool {
namespace {

constexpr size_t kMostNamed = 4;           // descriptors of one poll
constexpr size_t kMostPolled = 64;         // of one poll that are looked at
constexpr size_t kMostTable = 256 * 1024;  // bytes of a list of sockets
constexpr size_t kMostPath = 256;
constexpr int kDeepest = 2;  // children of children

// How a call's arguments say what it waits for.
enum class Waits : uint8_t {
    kPlain,  // they don't
    kTime,   // it sleeps
    kSignal,
    kDescriptor,  // argument 0
    kPath,        // the text at argument `at`
    kConnect,     // the address at argument 1
    kPoll,
    kSelect,
    kEpoll,
    kChild,
};

struct Call {
    long number;
    const char* name;
    Waits waits;
    uint8_t at = 0;
};

// What workers are found in. Numbers differ from machine to machine, and some calls are not everywhere.
constexpr Call kCalls[] = {
    {SYS_read, "read", Waits::kDescriptor},
    {SYS_write, "write", Waits::kDescriptor},
    {SYS_readv, "readv", Waits::kDescriptor},
    {SYS_writev, "writev", Waits::kDescriptor},
    {SYS_pread64, "pread64", Waits::kDescriptor},
    {SYS_pwrite64, "pwrite64", Waits::kDescriptor},
    {SYS_recvfrom, "recvfrom", Waits::kDescriptor},
    {SYS_recvmsg, "recvmsg", Waits::kDescriptor},
    {SYS_sendto, "sendto", Waits::kDescriptor},
    {SYS_sendmsg, "sendmsg", Waits::kDescriptor},
    {SYS_sendfile, "sendfile", Waits::kDescriptor},
    {SYS_accept, "accept", Waits::kDescriptor},
    {SYS_accept4, "accept4", Waits::kDescriptor},
    {SYS_connect, "connect", Waits::kConnect},
    {SYS_flock, "flock", Waits::kDescriptor},
    {SYS_fcntl, "fcntl", Waits::kDescriptor},
    {SYS_fsync, "fsync", Waits::kDescriptor},
    {SYS_fdatasync, "fdatasync", Waits::kDescriptor},
    {SYS_ftruncate, "ftruncate", Waits::kDescriptor},
    {SYS_fallocate, "fallocate", Waits::kDescriptor},
    {SYS_getdents64, "getdents64", Waits::kDescriptor},
    {SYS_close, "close", Waits::kDescriptor},
    {SYS_ioctl, "ioctl", Waits::kDescriptor},
    {SYS_openat, "openat", Waits::kPath, 1},
    {SYS_newfstatat, "newfstatat", Waits::kPath, 1},
    {SYS_statx, "statx", Waits::kPath, 1},
    {SYS_unlinkat, "unlinkat", Waits::kPath, 1},
    {SYS_ppoll, "ppoll", Waits::kPoll},
    {SYS_pselect6, "pselect6", Waits::kSelect},
    {SYS_epoll_pwait, "epoll_pwait", Waits::kEpoll},
    {SYS_nanosleep, "nanosleep", Waits::kTime},
    {SYS_clock_nanosleep, "clock_nanosleep", Waits::kTime},
    {SYS_wait4, "wait4", Waits::kChild},
    {SYS_waitid, "waitid", Waits::kPlain},
    {SYS_futex, "futex", Waits::kPlain},
    {SYS_rt_sigsuspend, "rt_sigsuspend", Waits::kSignal},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", Waits::kSignal},
    {SYS_msync, "msync", Waits::kPlain},
    {SYS_munmap, "munmap", Waits::kPlain},
    {SYS_mmap, "mmap", Waits::kPlain},
    {SYS_semtimedop, "semtimedop", Waits::kPlain},
    {SYS_msgrcv, "msgrcv", Waits::kPlain},
    {SYS_msgsnd, "msgsnd", Waits::kPlain},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, "epoll_pwait2", Waits::kEpoll},
#endif
#ifdef SYS_poll
    {SYS_open, "open", Waits::kPath, 0},
    {SYS_stat, "stat", Waits::kPath, 0},
    {SYS_lstat, "lstat", Waits::kPath, 0},
    {SYS_access, "access", Waits::kPath, 0},
    {SYS_unlink, "unlink", Waits::kPath, 0},
    {SYS_rename, "rename", Waits::kPath, 0},
    {SYS_mkdir, "mkdir", Waits::kPath, 0},
    {SYS_rmdir, "rmdir", Waits::kPath, 0},
    {SYS_poll, "poll", Waits::kPoll},
    {SYS_select, "select", Waits::kSelect},
    {SYS_epoll_wait, "epoll_wait", Waits::kEpoll},
    {SYS_pause, "pause", Waits::kSignal},
#endif
};

const Call* FindCall(int64_t number) {
    const auto* found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                     [number](const Call& call) { return call.number == number; });
    return found == std::end(kCalls) ? nullptr : found;
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            close(number_);
        }
    }
    int get() const { return number_; }
    bool valid() const { return number_ >= 0; }

private:
    const int number_;
};

std::string Printable(std::string_view text) {
    std::string clean(text.substr(0, kMostPath));
    std::replace_if(
        clean.begin(), clean.end(),
        [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return clean;
}

// `127.0.0.1:6379`, `/run/mysqld.sock`; empty: it has none.
std::string AddressText(const sockaddr_storage& address, size_t size) {
    char name[INET6_ADDRSTRLEN];
    if (address.ss_family == AF_INET && size >= sizeof(sockaddr_in)) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &four.sin_addr, name, sizeof(name));
        return std::string(name) + ':' + std::to_string(ntohs(four.sin_port));
    }
    if (address.ss_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &six.sin6_addr, name, sizeof(name));
        return '[' + std::string(name) + "]:" + std::to_string(ntohs(six.sin6_port));
    }
    constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);
    if (address.ss_family == AF_UNIX && size > kPathAt) {
        std::string_view path(reinterpret_cast<const char*>(&address) + kPathAt, size - kPathAt);
        bool abstract = path[0] == '\0';
        path = abstract ? path : path.substr(0, path.find('\0'));
        std::string text = Printable(path);
        if (abstract) {
            text[0] = '@';
        }
        return text;
    }
    return {};
}

// Whom a socket still tries to reach: getpeername keeps that to itself, and this option wants to be
// asked for as many bytes as there are.
bool AskWhomItTries(int socket, sockaddr_storage& address, socklen_t& size) {
    int family = 0;
    socklen_t number = sizeof(family);
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &number) != 0) {
        return false;
    }
    size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    return getsockopt(socket, SOL_SOCKET, SO_PEERNAME, &address, &size) == 0;
}

// One look at one process.
class Look {
public:
    Look(pid_t pid, SocketSearch& search, int depth) : pid_(pid), search_(search), depth_(depth) {}

    std::string Text();
    const std::string& name() const { return name_; }

private:
    // Of /proc/PID/; the text stays until the next call.
    Bytes File(const char* file) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", pid_, file);
        return {buffer_, ReadSmallFile(path, buffer_, sizeof(buffer_))};
    }
    // How much of it could be read.
    size_t Memory(uint64_t address, void* out, size_t size) const {
        iovec here{out, size};
        iovec there{reinterpret_cast<void*>(address), size};  // NOLINT: the other process's address
        ssize_t got = process_vm_readv(pid_, &here, 1, &there, 1, 0);
        return got > 0 ? static_cast<size_t>(got) : 0;
    }

    std::string Inside(const SyscallText& call, bool disk);
    std::string Unknown(bool disk);
    std::string Target(const Call& call, const SyscallText& now);
    std::string OneDescriptor(int number);
    std::string Several(const std::vector<int>& numbers);
    std::string Socket(int number, uint64_t inode);
    std::optional<std::string> AskSocket(int number) const;
    std::string FindSocket(uint64_t inode) const;
    std::string PathAt(uint64_t address) const;
    std::string ConnectTo(const SyscallText& now);
    std::vector<int> Polled(const SyscallText& now) const;
    std::vector<int> Selected(const SyscallText& now) const;
    std::string Child(int pid);
    int FirstChild();

    const pid_t pid_;
    SocketSearch& search_;
    const int depth_;
    std::string name_;
    char buffer_[4096];
};

std::string Look::Text() {
    StatText stat = ParseStat(File("stat"));
    name_ = Printable(stat.name);
    switch (stat.state) {
        case '\0':
        case 'Z':
        case 'X': return "has ended";
        case 'R': return "runs, or waits for a processor";
        case 'T':
        case 't': return "was stopped, by a signal or a debugger";
        default: break;
    }
    bool disk = stat.state == 'D';
    SyscallText call = ParseSyscall(File("syscall"));
    switch (call.where) {
        case SyscallText::Where::kUnknown: break;
        case SyscallText::Where::kRunning: return "runs, or waits for a processor";
        case SyscallText::Where::kOutside: return "waits for a page of memory";
        case SyscallText::Where::kInside: return Inside(call, disk);
    }
    return Unknown(disk);
}

// We may not know the call.
std::string Look::Unknown(bool disk) {
    std::string text = disk ? "waits for the disk" : "waits";
    Bytes function = File("wchan");
    if (!function.empty() && function != "0") {
        text += " (" + Printable(function) + ")";
    }
    return text;
}

std::string Look::Inside(const SyscallText& now, bool disk) {
    const Call* call = FindCall(now.number);
    std::string text = disk ? "waits for the disk in " : "waits in ";
    if (call == nullptr) {
        return text + "system call " + std::to_string(now.number);
    }
    std::string target = Target(*call, now);
    bool sleeps = call->waits == Waits::kTime ||
                  (call->waits == Waits::kPoll && target.empty() && now.argument[1] == 0);
    if (sleeps) {
        text = "sleeps in ";
    }
    text += call->name;
    return target.empty() ? text : text + " for " + target;
}

std::string Look::Target(const Call& call, const SyscallText& now) {
    switch (call.waits) {
        case Waits::kPlain:
        case Waits::kTime: return {};
        case Waits::kSignal: return "a signal";
        case Waits::kDescriptor: return OneDescriptor(static_cast<int>(now.argument[0]));
        case Waits::kPath: return PathAt(now.argument[call.at]);
        case Waits::kConnect: return ConnectTo(now);
        case Waits::kPoll: return Several(Polled(now));
        case Waits::kSelect: return Several(Selected(now));
        case Waits::kEpoll: {
            char file[32];
            snprintf(file, sizeof(file), "fdinfo/%d", static_cast<int>(now.argument[0]));
            return Several(ParseWatched(File(file), kMostPolled));
        }
        case Waits::kChild: {
            auto pid = static_cast<int>(now.argument[0]);
            return Child(pid > 0 ? pid : FirstChild());
        }
    }
    return {};
}

int Look::FirstChild() {
    char file[48];
    snprintf(file, sizeof(file), "task/%d/children", pid_);
    return ParseFirstChild(File(file));
}

// `process 4711 (convert), which sleeps in nanosleep`
std::string Look::Child(int pid) {
    if (pid == 0) {
        return "a process";
    }
    std::string text = "process " + std::to_string(pid);
    if (depth_ == kDeepest) {
        return text;
    }
    Look child(pid, search_, depth_ + 1);
    std::string does = child.Text();
    return text + " (" + child.name() + "), which " + does;
}

std::string Look::Several(const std::vector<int>& numbers) {
    std::string text;
    size_t named = std::min(numbers.size(), kMostNamed);
    for (size_t i = 0; i < named; ++i) {
        text += (i > 0 ? ", " : "") + OneDescriptor(numbers[i]);
    }
    if (numbers.size() > named) {
        text += " and " + std::to_string(numbers.size() - named) + " more";
    }
    return text;
}

std::string Look::OneDescriptor(int number) {
    char path[64];
    char link[kMostPath];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid_, number);
    ssize_t size = readlink(path, link, sizeof(link));
    if (size <= 0) {
        return "descriptor " + std::to_string(number);
    }
    Bytes target(link, static_cast<size_t>(size));
    if (auto inode = ParseSocketLink(target)) {
        return Socket(number, *inode);
    }
    if (target.starts_with("pipe:")) {
        if (depth_ == 0 && number <= STDOUT_FILENO) {
            return number == STDIN_FILENO ? "its standard input" : "its standard output";
        }
        // Most often a program that it started is at the other end.
        int child = number > STDERR_FILENO && depth_ < kDeepest ? FirstChild() : 0;
        return child == 0 ? "a pipe" : "a pipe of " + Child(child);
    }
    return Printable(target);
}

std::string Look::Socket(int number, uint64_t inode) {
    if (auto said = AskSocket(number)) {
        return *said;
    }
    std::string found = search_.Take(Clock::now()) ? FindSocket(inode) : std::string();
    return found.empty() ? "a socket" : found;
}

// By a copy of the descriptor, for a moment: exact, and the same for one socket or 100,000.
// Nothing: it has none, or may not be asked.
std::optional<std::string> Look::AskSocket(int number) const {
    Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (!process.valid()) {
        return std::nullopt;
    }
    Descriptor copy(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!copy.valid()) {
        return std::nullopt;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    int listens = 0;
    socklen_t flag = sizeof(listens);
    if (getsockopt(copy.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag) == 0 && listens != 0) {
        bool known = getsockname(copy.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
        return "clients of " + (known ? AddressText(address, size) : "a socket");
    }
    if (getpeername(copy.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 &&
        !AskWhomItTries(copy.get(), address, size)) {
        return "a socket without a peer";
    }
    std::string text = AddressText(address, size);
    return text.empty() ? "a socket without a name" : text;
}

// In the lists of the process's own network.
std::string Look::FindSocket(uint64_t inode) const {
    size_t left = kMostTable;
    for (const char* table : {"tcp", "tcp6"}) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/net/%s", pid_, table);
        Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
        std::string text;
        char piece[16 * 1024];
        while (file.valid() && left > 0) {
            ssize_t got = read(file.get(), piece, std::min(sizeof(piece), left));
            if (got <= 0) {
                break;
            }
            left -= static_cast<size_t>(got);
            text.append(piece, static_cast<size_t>(got));
            size_t begin = 0;
            for (size_t end = text.find('\n'); end != std::string::npos;
                 end = text.find('\n', begin)) {
                auto line = ParseSocketLine(Bytes(text).substr(begin, end - begin));
                begin = end + 1;
                if (line && line->inode == inode) {
                    return line->listening ? "clients of " + line->address : line->address;
                }
            }
            text.erase(0, begin);
        }
    }
    return {};
}

std::string Look::ConnectTo(const SyscallText& now) {
    sockaddr_storage address{};
    size_t size = std::min<uint64_t>(now.argument[2], sizeof(address));
    std::string text = AddressText(address, Memory(now.argument[1], &address, size));
    return text.empty() ? OneDescriptor(static_cast<int>(now.argument[0])) : text;
}

std::string Look::PathAt(uint64_t address) const {
    char path[kMostPath];
    // A read across the end of what is mapped gives what is in front of it, page by page.
    Bytes text(path, Memory(address, path, sizeof(path)));
    return Printable(text.substr(0, text.find('\0')));
}

std::vector<int> Look::Polled(const SyscallText& now) const {
    std::array<pollfd, kMostPolled> polled{};
    size_t count = std::min<uint64_t>(now.argument[1], kMostPolled);
    size_t got = Memory(now.argument[0], polled.data(), count * sizeof(pollfd)) / sizeof(pollfd);
    std::vector<int> numbers;
    for (size_t i = 0; i < got; ++i) {
        if (polled[i].fd >= 0) {
            numbers.push_back(polled[i].fd);
        }
    }
    return numbers;
}

std::vector<int> Look::Selected(const SyscallText& now) const {
    size_t count = std::min<uint64_t>(now.argument[0], FD_SETSIZE);
    std::vector<int> numbers;
    std::array<uint64_t, FD_SETSIZE / 64> any{};
    for (size_t set = 1; set <= 3; ++set) {
        std::array<uint64_t, FD_SETSIZE / 64> bits{};
        if (now.argument[set] != 0) {
            Memory(now.argument[set], bits.data(), (count + 63) / 64 * 8);
        }
        for (size_t i = 0; i < any.size(); ++i) {
            any[i] |= bits[i];
        }
    }
    for (size_t i = 0; i < count && numbers.size() < kMostPolled; ++i) {
        if ((any[i / 64] >> (i % 64) & 1) != 0) {
            numbers.push_back(static_cast<int>(i));
        }
    }
    return numbers;
}

}  // namespace

std::string DescribeActivity(pid_t pid, SocketSearch& search) {
    return pid <= 0 ? "has ended" : Look(pid, search, 0).Text();
}

}  // namespace rr::pool
