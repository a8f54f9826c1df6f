// What rpc_load and tcp_load share: connections to a loopback port in one epoll loop, a time, a tally.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;
inline constexpr int kEvents = 64;

inline const char* program = "load";  // in front of every complaint

[[noreturn]] inline void Die(const char* what) {
    std::fprintf(stderr, "%s: %s: %s\n", program, what, std::strerror(errno));
    std::exit(2);
}

inline sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void NoDelay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

inline int Connect(uint16_t port) {
    sockaddr_in address = Loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        Die("connect");
    }
    NoDelay(fd);
    return fd;
}

inline void Watch(int poll, int fd, void* data) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = data;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) {
        Die("epoll_ctl");
    }
}

struct Tally {
    uint64_t done = 0;
    uint64_t failures = 0;
    std::vector<uint32_t> sample_us;

    void Sample(Clock::duration spent) {
        constexpr size_t kMost = size_t{1} << 20;
        if (sample_us.size() < kMost) {
            auto us = std::chrono::duration_cast<std::chrono::microseconds>(spent).count();
            sample_us.push_back(static_cast<uint32_t>(us));
        }
    }
};

// Calls read(connection) for every one that has something, for `seconds`; false as soon as one of
// them says so, or when none has anything for two seconds.
template <class Connection, class Read>
bool RunLoop(int poll, double seconds, Read read) {
    Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(seconds));
    std::array<epoll_event, kEvents> events{};
    while (Clock::now() < end) {
        int count = epoll_wait(poll, events.data(), kEvents, 2000);
        if (count == 0) {
            std::fprintf(stderr, "%s: no answer for two seconds\n", program);
            return false;
        }
        for (int i = 0; i < count; ++i) {
            void* tag = events[static_cast<size_t>(i)].data.ptr;
            if (!read(*static_cast<Connection*>(tag))) {
                std::fprintf(stderr, "%s: a connection ended\n", program);
                return false;
            }
        }
    }
    return true;
}

// Runs `load` for a tenth of the time, which is not counted, then for all of it, and prints one line
// of name=value pairs. The exit code: 0 if every answer was a good one.
template <class Load>
int Measure(Load& load, double seconds, const char* unit) {
    bool good = load.Run(seconds / 10);
    uint64_t early = load.tally().failures;
    load.tally() = Tally{};
    Clock::time_point begin = Clock::now();
    good = good && load.Run(seconds);
    double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    Tally& tally = load.tally();
    tally.failures += early + (good ? 0 : 1);
    std::vector<uint32_t>& sorted = tally.sample_us;
    std::sort(sorted.begin(), sorted.end());
    auto percentile = [&sorted](size_t percent) {
        return sorted.empty() ? 0 : sorted[(sorted.size() - 1) * percent / 100];
    };
    std::printf("seconds=%.2f %s=%llu failures=%llu per_second=%.0f p50_us=%u p99_us=%u\n", elapsed,
                unit, static_cast<unsigned long long>(tally.done),
                static_cast<unsigned long long>(tally.failures),
                static_cast<double>(tally.done) / elapsed, percentile(50), percentile(99));
    return good && tally.failures == 0 && tally.done > 0 ? 0 : 1;
}

// Ends with its parent, and by itself long after it should have.
inline void Bound(double seconds) {
    std::signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(static_cast<unsigned>(2 * seconds) + 30);
}

}  // namespace bench
