#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/address.hpp"
#include "core/net/listener.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"

namespace rr::net {
namespace {

class Peer final : public StreamHandler {
public:
    std::span<char> OnReadBuffer() override { return ReadScratch(); }
    void OnData(size_t size) override { got.append(ReadScratch().data(), size); }
    void OnClosed(CloseReason reason) override { closed.push_back(reason); }
    void OnDrained() override { ++drained; }

    std::string got;
    std::vector<CloseReason> closed;
    int drained = 0;
};

struct Pair {
    explicit Pair(Loop& loop) {
        int fd[2];
        RR_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
        a = std::make_unique<Stream>(loop, Stream::Kind::kPipe, fd[0], &left);
        b = std::make_unique<Stream>(loop, Stream::Kind::kPipe, fd[1], &right);
    }
    Peer left;
    Peer right;
    std::unique_ptr<Stream> a;
    std::unique_ptr<Stream> b;
};

}  // namespace

TEST_CASE("address: every form that users write") {
    REQUIRE(ParseAddress("127.0.0.1:80")->ToString() == "tcp://127.0.0.1:80");
    REQUIRE(ParseAddress(":8080")->host.empty());
    REQUIRE(ParseAddress("tcp://[::1]:9")->host == "::1");
    REQUIRE(ParseAddress("unix:///run/x.sock")->path == "/run/x.sock");
    REQUIRE(ParseAddress("localhost:1")->host == "localhost");
    for (const char* bad : {"", "localhost", "1.2.3.4:99999", "1.2.3.4:x", "unix://", "http://a:1",
                            "::1:80", "[::1:80"}) {
        REQUIRE_FALSE(ParseAddress(bad));
    }
}

TEST_CASE("address: udp is shown as such, and read by nobody who can't serve it") {
    Address address = *ParseAddress("[::1]:53");
    address.kind = Address::Kind::kUdp;
    REQUIRE(address.ToString() == "udp://[::1]:53");
    auto refused = ParseAddress("udp://127.0.0.1:53");
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().message.find("no datagrams (udp://)") != std::string::npos);
    Loop loop("test");
    REQUIRE_FALSE(Listener::Bind(loop, address, {}));
}

TEST_CASE("address: localhost resolves to IPv4") {
    REQUIRE(Resolve(*ParseAddress("localhost:1"))->host == "127.0.0.1");
}

TEST_CASE("stream: queued bytes go out at the end of the turn, in order") {
    Loop loop("test");
    Pair pair(loop);
    pair.b->StartReading();
    pair.a->Queue("one,");
    pair.a->Queue("two");
    REQUIRE(loop.RunUntil([&pair] { return pair.right.got.size() == 7; }));
    REQUIRE(pair.right.got == "one,two");
}

TEST_CASE("stream: more than the kernel takes is delivered whole and reported as drained") {
    Loop loop("test");
    Pair pair(loop);
    std::string big(4 << 20, 'x');
    pair.a->Queue(big);
    pair.a->Flush();
    REQUIRE(pair.a->queued() > 0);
    Bytes more = "never before the queue";
    REQUIRE(pair.a->TryWrite(&more, 1) == 0);
    pair.b->StartReading();
    REQUIRE(loop.RunUntil([&] { return pair.right.got.size() == big.size(); }));
    REQUIRE(loop.RunUntil([&pair] { return pair.left.drained == 1; }));
}

TEST_CASE("stream: an end of file comes once and leaves the other direction open") {
    Loop loop("test");
    Pair pair(loop);
    pair.a->StartReading();
    pair.b->StartReading();
    pair.a->Queue("bye");
    pair.a->ShutdownWhenSent();
    REQUIRE(loop.RunUntil([&pair] { return !pair.right.closed.empty(); }));
    REQUIRE(pair.right.got == "bye");
    REQUIRE(pair.right.closed == std::vector{CloseReason::kEnd});
    pair.b->Queue("answer");
    REQUIRE(loop.RunUntil([&pair] { return pair.left.got == "answer"; }));
}

TEST_CASE("stream: writing to a peer that is gone is reported once") {
    Loop loop("test");
    Pair pair(loop);
    pair.b.reset();
    pair.a->Queue("x");
    REQUIRE(loop.RunUntil([&pair] { return !pair.left.closed.empty(); }));
    pair.a->Queue("y");
    loop.RunUntil([&pair] { return !pair.a->queued(); });
    REQUIRE(pair.left.closed == std::vector{CloseReason::kReset});
}

TEST_CASE("stream: a read without waiting tells nothing, something and the end apart") {
    Loop loop("test");
    Pair pair(loop);
    char out[8];
    REQUIRE(pair.b->TryRead(out, sizeof(out)) == 0);
    Bytes text = "abc";
    REQUIRE(pair.a->TryWrite(&text, 1) == 3);
    REQUIRE(pair.b->TryRead(out, sizeof(out)) == 3);
    pair.a.reset();
    REQUIRE(loop.RunUntil([&] { return pair.b->TryRead(out, sizeof(out)) == -1; }));
}

TEST_CASE("stream: destroyed with a write in flight, the loop still ends cleanly") {
    Loop loop("test");
    Pair pair(loop);
    pair.a->Queue(std::string(4 << 20, 'x'));
    pair.a->Flush();
    pair.a.reset();
    pair.b.reset();
}

TEST_CASE("listener: port 0 becomes a real port, a second bind says who is in the way") {
    Loop loop("test");
    auto first = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {});
    REQUIRE(first);
    REQUIRE((*first)->address().port != 0);
    auto second = Listener::Bind(loop, (*first)->address(), {});
    REQUIRE_FALSE(second);
    REQUIRE(second.error().code == Errc::kExists);
}

TEST_CASE("listener: a stale unix socket file is replaced, a live one is not, ours is removed") {
    Loop loop("test");
    std::string path = "/tmp/rr-net-test-" + std::to_string(getpid()) + ".sock";
    {
        auto stale = Listener::Bind(loop, *ParseAddress("unix://" + path), {});
        REQUIRE(stale);
        REQUIRE_FALSE(Listener::Bind(loop, *ParseAddress("unix://" + path), {}));
    }
    REQUIRE(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("listener: connections that the kernel completed survive a drain") {
    Loop loop("test");
    std::string path = "/tmp/rr-net-drain-" + std::to_string(getpid()) + ".sock";
    auto listener = Listener::Bind(loop, *ParseAddress("unix://" + path), {});
    REQUIRE(listener);
    std::vector<int> accepted;
    (*listener)->Accept([&accepted](int fd, Stream::Kind) { accepted.push_back(fd); },
                        [](const std::string&) {});
    std::vector<int> clients;
    for (int i = 0; i < 3; ++i) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_storage to{};
        to.ss_family = AF_UNIX;
        path.copy(reinterpret_cast<char*>(&to) + sizeof(sa_family_t), path.size());
        REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&to), 110) == 0);
        clients.push_back(fd);
    }
    (*listener)->Drain();
    REQUIRE(accepted.size() == 3);
    for (int fd : accepted) {
        close(fd);
    }
    for (int fd : clients) {
        close(fd);
    }
}

TEST_CASE("stream: an IPv4 client of an IPv6 listener is shown as one") {
    Loop loop("test");
    auto listener = Listener::Bind(loop, *ParseAddress("[::]:0"), {});
    REQUIRE(listener);
    int accepted = -1;
    (*listener)->Accept([&accepted](int fd, Stream::Kind) { accepted = fd; },
                        [](const std::string&) {});
    int client = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons((*listener)->address().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(client, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    REQUIRE(loop.RunUntil([&accepted] { return accepted >= 0; }));
    {
        Stream stream(loop, Stream::Kind::kTcp, accepted, nullptr);
        REQUIRE(stream.PeerName().starts_with("127.0.0.1:"));
    }
    close(client);
}

TEST_CASE("listener: accepted sockets inherit the probes for clients that are gone") {
    Loop loop("test");
    for (int seconds : {0, 17}) {
        ListenOptions options;
        options.keepalive_seconds = seconds;
        auto listener = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), options);
        REQUIRE(listener);
        int accepted = -1;
        (*listener)->Accept([&accepted](int fd, Stream::Kind) { accepted = fd; },
                            [](const std::string&) {});
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons((*listener)->address().port);
        REQUIRE(connect(client, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
        REQUIRE(loop.RunUntil([&accepted] { return accepted >= 0; }));
        auto option = [accepted](int level, int name) {
            int value = -1;
            socklen_t size = sizeof(value);
            REQUIRE(getsockopt(accepted, level, name, &value, &size) == 0);
            return value;
        };
        REQUIRE((option(SOL_SOCKET, SO_KEEPALIVE) != 0) == (seconds > 0));
        if (seconds > 0) {
            REQUIRE(option(IPPROTO_TCP, TCP_KEEPIDLE) == seconds);
            REQUIRE(option(IPPROTO_TCP, TCP_KEEPINTVL) == seconds);
        }
        close(client);
        close(accepted);
    }
}

TEST_CASE("timer: fires once, repeats, and is silent after its end") {
    Loop loop("test");
    int once = 0;
    int many = 0;
    Timer first(loop, [&once] { ++once; });
    auto second = std::make_unique<Timer>(loop, [&many] { ++many; });
    first.Arm(std::chrono::milliseconds(1));
    second->Repeat(std::chrono::milliseconds(1));
    REQUIRE(loop.RunUntil([&] { return once == 1 && many >= 3; }));
    REQUIRE_FALSE(first.armed());
    second.reset();
    int before = many;
    first.Arm(std::chrono::milliseconds(5));
    REQUIRE(loop.RunUntil([&] { return once == 2; }));
    REQUIRE(many == before);
}

}  // namespace rr::net
