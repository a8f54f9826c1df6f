// rpc_load: calls per second over TCP, and what a loop that only copies bytes makes of the same load.
//
//   rpc_load --port P [--connections N] [--in-flight K] [--seconds S]   calls rpc.Version
//   rpc_load --echo                                                     prints `port=P`, then echoes
//
// Each connection keeps K calls in flight: what was answered in one read is asked again in one
// write. An echo of the request has the form of an answer, so both sides get the same bytes. Prints
// one line of name=value pairs; exit 0 if every answer was a good one.
//
// The frame is built here once more, not with relay/: a yardstick must not share the code it
// measures.
#include <string>
#include <string_view>

#include "tests/bench/load.hpp"

namespace {

using namespace bench;

// rpc.Version true, JSON, as PHP's client sends it; the number of a call stands at 12.
constexpr unsigned char kCall[] = {
    0x15, 0x08, 0x0f, 0,   0,   0,   0x1c, 0x69, 0xca, 0x8a, 0,   0,   1,   0,   0,   0,   11, 0,
    0,    0,    'r',  'p', 'c', '.', 'V',  'e',  'r',  's',  'i', 'o', 'n', 't', 'r', 'u', 'e'};
constexpr size_t kHead = 20;
constexpr size_t kBuffer = 64 * 1024;

bool WriteAll(int fd, const char* data, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0) {
            return false;
        }
        data += wrote;
        size -= static_cast<size_t>(wrote);
    }
    return true;
}

// ---- the loop that only copies ------------------------------------------------------------------

int Echo() {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        Die("listen");
    }
    std::printf("port=%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    Watch(poll, listener, nullptr);
    std::vector<char> buffer(kBuffer);
    std::array<epoll_event, kEvents> events{};
    while (true) {
        int count = epoll_wait(poll, events.data(), kEvents, -1);
        for (int i = 0; i < count; ++i) {
            auto* tag = static_cast<char*>(events[static_cast<size_t>(i)].data.ptr);
            if (tag == nullptr) {
                int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
                NoDelay(fd);
                // The descriptor is the tag: nothing else belongs to a connection.
                Watch(poll, fd, buffer.data() + fd);
                continue;
            }
            int fd = static_cast<int>(tag - buffer.data());
            ssize_t got = read(fd, buffer.data(), buffer.size());
            if (got <= 0 || !WriteAll(fd, buffer.data(), static_cast<size_t>(got))) {
                close(fd);
            }
        }
    }
}

// ---- the load -----------------------------------------------------------------------------------

struct Options {
    uint16_t port = 0;
    size_t connections = 1;
    size_t in_flight = 1;
    double seconds = 3;
};

struct Connection {
    int fd = -1;
    std::string input;
    std::vector<Clock::time_point> sent;  // by number of the call, modulo calls in flight
    uint32_t next = 0;
    uint32_t oldest = 0;
};

class Load {
public:
    explicit Load(const Options& options) : options_(options), connections_(options.connections) {
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        for (Connection& connection : connections_) {
            connection.fd = Connect(options.port);
            connection.sent.resize(options.in_flight);
            Watch(poll_, connection.fd, &connection);
            Ask(connection, options.in_flight);
        }
    }

    bool Run(double seconds) {
        return RunLoop<Connection>(poll_, seconds, [this](Connection& c) { return Read(c); });
    }

    Tally& tally() { return tally_; }

private:
    void Ask(Connection& connection, size_t count) {
        out_.clear();
        Clock::time_point now = Clock::now();
        for (size_t i = 0; i < count; ++i) {
            size_t at = out_.size();
            out_.append(reinterpret_cast<const char*>(kCall), sizeof(kCall));
            std::memcpy(&out_[at + 12], &connection.next, sizeof(connection.next));
            connection.sent[connection.next++ % options_.in_flight] = now;
        }
        if (!WriteAll(connection.fd, out_.data(), out_.size())) {
            Die("write");
        }
    }

    bool Read(Connection& connection) {
        ssize_t got = read(connection.fd, buffer_.data(), buffer_.size());
        if (got <= 0) {
            return false;
        }
        connection.input.append(buffer_.data(), static_cast<size_t>(got));
        size_t answered = 0;
        size_t done = 0;
        Clock::time_point now = Clock::now();
        while (connection.input.size() - done >= kHead) {
            const char* frame = connection.input.data() + done;
            uint32_t payload = 0;
            uint32_t number = 0;
            std::memcpy(&payload, frame + 2, sizeof(payload));
            std::memcpy(&number, frame + 12, sizeof(number));
            if (connection.input.size() - done < kHead + payload) {
                break;
            }
            // A synchronous method: answers come in the order of the calls.
            bool good = frame[0] == 0x15 && frame[1] == 0x08 && number == connection.oldest;
            tally_.failures += good ? 0 : 1;
            tally_.Sample(now - connection.sent[connection.oldest++ % options_.in_flight]);
            done += kHead + payload;
            ++answered;
        }
        connection.input.erase(0, done);
        tally_.done += answered;
        if (answered > 0) {
            Ask(connection, answered);
        }
        return true;
    }

    const Options& options_;
    std::vector<Connection> connections_;
    int poll_ = -1;
    std::string out_;
    std::vector<char> buffer_ = std::vector<char>(kBuffer);
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
        } else if (name == "--in-flight") {
            options.in_flight = std::strtoul(value, nullptr, 10);
        } else if (name == "--seconds") {
            options.seconds = std::strtod(value, nullptr);
        }
    }
    if (options.port == 0 || options.connections < 1 || options.connections > 256 ||
        options.in_flight < 1 || options.in_flight > 1024 || options.seconds <= 0 ||
        options.seconds > 60) {
        std::fprintf(stderr,
                     "usage: rpc_load --port P [--connections 1..256] [--in-flight 1..1024] "
                     "[--seconds 0..60]\n       rpc_load --echo\n");
        std::exit(2);
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    program = "rpc_load";
    if (argc == 2 && std::string_view(argv[1]) == "--echo") {
        Bound(300);
        return Echo();
    }
    Options options = Parse(argc, argv);
    Bound(options.seconds);
    Load load(options);
    return Measure(load, options.seconds, "calls");
}
