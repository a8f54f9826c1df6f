// tcp_load: lines per second that a TCP server sends back, each client waiting for its line before
// it sends the next.
//
//   tcp_load --port P [--connections N] [--seconds S]
//
// A line has 12 bytes, CR LF among them. What comes back must be exactly the line. Prints one line
// of name=value pairs; exit 0 if every answer was a good one.
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
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kLine = "Hello, you\r\n";
constexpr int kEvents = 64;

[[noreturn]] void Die(const char* what) {
    std::fprintf(stderr, "tcp_load: %s: %s\n", what, std::strerror(errno));
    std::exit(2);
}

struct Options {
    uint16_t port = 0;
    size_t connections = 32;
    double seconds = 3;
};

struct Connection {
    int fd = -1;
    size_t got = 0;  // bytes of the line that is on its way back
    Clock::time_point sent;
};

struct Tally {
    uint64_t lines = 0;
    uint64_t failures = 0;
    std::vector<uint32_t> sample_us;
};

class Load {
public:
    explicit Load(const Options& options) : connections_(options.connections) {
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        for (Connection& connection : connections_) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(options.port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
                0) {
                Die("connect");
            }
            int on = 1;
            setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.ptr = &connection;
            if (epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) {
                Die("epoll_ctl");
            }
            Send(connection);
        }
    }

    bool Run(double seconds) {
        Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
        std::array<epoll_event, kEvents> events{};
        while (Clock::now() < end) {
            int count = epoll_wait(poll_, events.data(), kEvents, 2000);
            if (count == 0) {
                std::fprintf(stderr, "tcp_load: no answer for two seconds\n");
                return false;
            }
            for (int i = 0; i < count; ++i) {
                auto* connection =
                    static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
                if (!Read(*connection)) {
                    std::fprintf(stderr, "tcp_load: a connection ended\n");
                    return false;
                }
            }
        }
        return true;
    }

    Tally& tally() { return tally_; }

private:
    static void Send(Connection& connection) {
        connection.sent = Clock::now();
        if (write(connection.fd, kLine.data(), kLine.size()) !=
            static_cast<ssize_t>(kLine.size())) {
            Die("write");
        }
    }

    bool Read(Connection& connection) {
        std::array<char, 64> buffer{};
        ssize_t got = read(connection.fd, buffer.data(), buffer.size());
        if (got <= 0) {
            return false;
        }
        std::string_view bytes(buffer.data(), static_cast<size_t>(got));
        if (bytes != kLine.substr(std::min(connection.got, kLine.size()), bytes.size())) {
            ++tally_.failures;
            return false;
        }
        connection.got += bytes.size();
        if (connection.got < kLine.size()) {
            return true;
        }
        connection.got = 0;
        ++tally_.lines;
        constexpr size_t kMost = size_t{1} << 20;
        if (tally_.sample_us.size() < kMost) {
            auto spent = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() -
                                                                               connection.sent);
            tally_.sample_us.push_back(static_cast<uint32_t>(spent.count()));
        }
        Send(connection);
        return true;
    }

    std::vector<Connection> connections_;
    int poll_ = -1;
    Tally tally_;
};

Options Parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view name = argv[i];
        const char* value = argv[i + 1];
        if (name == "--port") {
            options.port = static_cast<uint16_t>(std::strtoul(value, nullptr, 10));
        } else if (name == "--connections") {
            options.connections = std::strtoul(value, nullptr, 10);
        } else if (name == "--seconds") {
            options.seconds = std::strtod(value, nullptr);
        }
    }
    if (options.port == 0 || options.connections < 1 || options.connections > 1000 ||
        options.seconds <= 0 || options.seconds > 60) {
        std::fprintf(stderr,
                     "usage: tcp_load --port P [--connections 1..1000] [--seconds 0..60]\n");
        std::exit(2);
    }
    return options;
}

uint32_t Percentile(std::vector<uint32_t>& sorted, size_t percent) {
    return sorted.empty() ? 0 : sorted[(sorted.size() - 1) * percent / 100];
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Options options = Parse(argc, argv);
    alarm(static_cast<unsigned>(2 * options.seconds) + 30);
    Load load(options);
    bool good = load.Run(options.seconds / 10);  // warms up, is not counted
    uint64_t early = load.tally().failures;
    load.tally() = Tally{};
    Clock::time_point begin = Clock::now();
    good = good && load.Run(options.seconds);
    double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    Tally& tally = load.tally();
    tally.failures += early + (good ? 0 : 1);
    std::sort(tally.sample_us.begin(), tally.sample_us.end());
    std::printf("seconds=%.2f lines=%llu failures=%llu per_second=%.0f p50_us=%u p99_us=%u\n",
                elapsed, static_cast<unsigned long long>(tally.lines),
                static_cast<unsigned long long>(tally.failures),
                static_cast<double>(tally.lines) / elapsed, Percentile(tally.sample_us, 50),
                Percentile(tally.sample_us, 99));
    return good && tally.failures == 0 && tally.lines > 0 ? 0 : 1;
}
