// tcp_load: lines per second that a TCP server sends back, each client waiting for its line before
// it sends the next.
//
//   tcp_load --port P [--connections N] [--seconds S]
//
// A line has 12 bytes, CR LF among them. What comes back must be exactly the line. Prints one line
// of name=value pairs; exit 0 if every answer was a good one.
#include <string_view>

#include "tests/bench/load.hpp"

namespace {

using namespace bench;

constexpr std::string_view kLine = "Hello, you\r\n";

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

class Load {
public:
    explicit Load(const Options& options) : connections_(options.connections) {
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        for (Connection& connection : connections_) {
            connection.fd = Connect(options.port);
            Watch(poll_, connection.fd, &connection);
            Send(connection);
        }
    }

    bool Run(double seconds) {
        return RunLoop<Connection>(poll_, seconds, [this](Connection& c) { return Read(c); });
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
        ++tally_.done;
        tally_.Sample(Clock::now() - connection.sent);
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

}  // namespace

int main(int argc, char** argv) {
    program = "tcp_load";
    Options options = Parse(argc, argv);
    Bound(options.seconds);
    Load load(options);
    return Measure(load, options.seconds, "lines");
}
