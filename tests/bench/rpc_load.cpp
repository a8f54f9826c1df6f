// rpc_load: calls per second over TCP, and what a loop that only copies bytes makes of the same load.
//
//   rpc_load --port P [--connections N] [--in-flight K] [--seconds S] [--call METHOD]
//            [--storage NAME] [--items I]     rpc.Version, or kv.Set or kv.MGet of I items each
//   rpc_load --echo                           prints `port=P`, then echoes
//
// Each connection keeps K calls in flight: what was answered in one read is asked again in one
// write. An echo of the request has the form of an answer, so both sides get the same bytes. Prints
// one line of name=value pairs; exit 0 if every answer was a good one.
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load.hpp"
#include "tests/bench/rpc_calls.hpp"

namespace {

using namespace bench;

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
    std::string call = "rpc.Version";
    std::string storage = "bench";
    size_t items = 1;
};

// A call in flight: its number is its place, counted on by the calls in flight with each use.
struct Slot {
    uint32_t number = 0;
    Clock::time_point sent;
};

struct Connection {
    int fd = -1;
    std::string input;
    std::vector<Slot> slots;
};

class Load {
public:
    explicit Load(const Options& options)
        : options_(options),
          calls_(CallsOf(options.call, options.storage, options.items)),
          connections_(options.connections) {
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        if (options.call == "kv.MGet") {
            Fill();
        }
        for (Connection& connection : connections_) {
            connection.fd = Connect(options.port);
            connection.slots.resize(options.in_flight);
            Watch(poll_, connection.fd, &connection);
            for (uint32_t i = 0; i < options.in_flight; ++i) {
                connection.slots[i].number = i;
                answered_.push_back(i);
            }
            Ask(connection);
        }
    }

    bool Run(double seconds) {
        return RunLoop<Connection>(poll_, seconds, [this](Connection& c) { return Read(c); });
    }

    Tally& tally() { return tally_; }

private:
    // What kv.MGet is to find.
    void Fill() {
        int fd = Connect(options_.port);
        for (const std::string& call : CallsOf("kv.Set", options_.storage, options_.items)) {
            std::array<char, kBuffer> answer;
            if (!WriteAll(fd, call.data(), call.size()) ||
                read(fd, answer.data(), answer.size()) < static_cast<ssize_t>(kHead)) {
                Die("kv.Set");
            }
        }
        close(fd);
    }

    // Fills the slots of answered_ with new calls.
    void Ask(Connection& connection) {
        out_.clear();
        Clock::time_point now = Clock::now();
        for (uint32_t place : answered_) {
            size_t at = out_.size();
            out_.append(calls_[next_++ % calls_.size()]);
            std::memcpy(&out_[at + kNumberAt], &connection.slots[place].number, sizeof(uint32_t));
            connection.slots[place].sent = now;
        }
        answered_.clear();
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
        size_t done = 0;
        Clock::time_point now = Clock::now();
        const std::string& call = calls_.front();
        const size_t least = options_.call == "kv.MGet" ? options_.call.size() + 1 : 1;
        while (connection.input.size() - done >= kHead) {
            const char* frame = connection.input.data() + done;
            uint32_t payload = 0;
            uint32_t number = 0;
            std::memcpy(&payload, frame + 2, sizeof(payload));
            std::memcpy(&number, frame + kNumberAt, sizeof(number));
            if (connection.input.size() - done < kHead + payload) {
                break;
            }
            Slot& slot = connection.slots[number % options_.in_flight];
            if (frame[0] != 0x15 || slot.number != number) {
                std::fprintf(stderr, "rpc_load: an answer to no call\n");
                return false;
            }
            tally_.failures += frame[1] == call[1] && payload >= least ? 0 : 1;
            tally_.Sample(now - slot.sent);
            slot.number += static_cast<uint32_t>(options_.in_flight);
            answered_.push_back(static_cast<uint32_t>(number % options_.in_flight));
            done += kHead + payload;
        }
        connection.input.erase(0, done);
        tally_.done += answered_.size();
        if (!answered_.empty()) {
            Ask(connection);
        }
        return true;
    }

    const Options& options_;
    const std::vector<std::string> calls_;  // ready frames, sent one after another
    size_t next_ = 0;
    std::vector<Connection> connections_;
    int poll_ = -1;
    std::string out_;
    std::vector<uint32_t> answered_;  // places of one connection, between Read and Ask
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
        } else if (name == "--call") {
            options.call = value;
        } else if (name == "--storage") {
            options.storage = value;
        } else if (name == "--items") {
            options.items = std::strtoul(value, nullptr, 10);
        }
    }
    const bool known = !CallsOf(options.call, options.storage, 1).empty();
    if (!known || options.items < 1 || options.items > 100 || options.port == 0 ||
        options.storage.size() > 100 || options.connections < 1 || options.connections > 256 ||
        options.in_flight < 1 || options.in_flight > 1024 || options.seconds <= 0 ||
        options.seconds > 60) {
        std::fprintf(stderr,
                     "usage: rpc_load --port P [--connections 1..256] [--in-flight 1..1024] "
                     "[--seconds 0..60]\n                [--call rpc.Version|kv.Set|kv.MGet] "
                     "[--storage NAME] [--items 1..100]\n       rpc_load --echo\n");
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
