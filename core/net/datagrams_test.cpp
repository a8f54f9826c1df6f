#include "core/net/datagrams.hpp"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/heritage.hpp"

namespace rr::net {
namespace {

using Sent = Datagrams::Sent;

std::unique_ptr<Datagrams> Open(Loop& loop, std::string_view address) {
    auto socket = Datagrams::Bind(loop, *ParseAddress(address));
    REQUIRE(socket);
    return std::move(*socket);
}

Peer At(std::string_view host, const Datagrams& socket) {
    return *Peer::Parse(std::string(host) + ":" + std::to_string(socket.address().port));
}

class Inbox final : public DatagramHandler {
public:
    void OnDatagram(const Peer& peer, Bytes bytes) override {
        got.emplace_back(peer, std::string(bytes));
        if (then) {
            then();
        }
    }
    bool Await(Loop& loop, size_t count) {
        return loop.RunUntil([this, count] { return got.size() >= count; });
    }

    std::vector<std::pair<Peer, std::string>> got;
    std::function<void()> then;
};

// A port of the loopback on which nobody listens.
Peer Nobody(Loop& loop) { return At("127.0.0.1", *Open(loop, "127.0.0.1:0")); }

// From here on sendto() of this thread says what it would with a full kernel buffer.
bool FillKernelBuffer() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{sizeof(program) / sizeof(program[0]), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

TEST_CASE("peer: text there and back") {
    for (const char* text : {"127.0.0.1:40000", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:40000",
                             "[2001:db8::1]:1", "[fe80::1%2]:40000"}) {
        auto peer = Peer::Parse(text);
        REQUIRE(peer);
        REQUIRE(peer->ToString() == text);
        REQUIRE(*peer == *Peer::Parse(text));
        REQUIRE(peer->Hash() == Peer::Parse(text)->Hash());
    }
    REQUIRE(Peer::Parse("[::ffff:127.0.0.1]:40000")->ToString() == "127.0.0.1:40000");
    REQUIRE_FALSE(*Peer::Parse("127.0.0.1:1") == *Peer::Parse("127.0.0.1:2"));
    REQUIRE_FALSE(*Peer::Parse("127.0.0.1:1") == *Peer::Parse("127.0.0.2:1"));
    REQUIRE(Peer::Parse("127.0.0.1:1")->Hash() != Peer::Parse("127.0.0.2:1")->Hash());
    REQUIRE(Peer::Parse("127.0.0.1:1")->Hash() != Peer::Parse("127.0.0.1:2")->Hash());
}

TEST_CASE("peer: anything else is refused") {
    for (const char* text : {"",
                             ":",
                             "127.0.0.1",
                             "127.0.0.1:",
                             ":1",
                             "127.0.0.1:65536",
                             "127.0.0.1:01",
                             "127.0.0.1:+1",
                             "127.0.0.1: 1",
                             "127.0.0:1",
                             "localhost:1",
                             "::1:1",
                             "[::1]",
                             "[::1]1",
                             "[::1:1",
                             "[127.0.0.1]:1",
                             "[fe80::1%]:1",
                             "[fe80::1%eth0]:1",
                             "127.0.0.1%2:1",
                             "udp://127.0.0.1:1",
                             "[]:1"}) {
        CAPTURE(text);
        REQUIRE_FALSE(Peer::Parse(text));
    }
    REQUIRE_FALSE(Peer::Parse(std::string_view("127.0.0.1\0:1", 12)));
}

TEST_CASE("datagrams: there and back, over IPv4 and IPv6, up to the largest one") {
    Loop loop("test");
    for (const auto& [address, host] :
         {std::pair("127.0.0.1:0", "127.0.0.1"), std::pair("[::1]:0", "[::1]")}) {
        auto server = Open(loop, address);
        auto client = Open(loop, address);
        REQUIRE(server->address().ToString().starts_with("udp://" + std::string(host) + ":"));
        REQUIRE(server->address().port != 0);
        Inbox requests;
        Inbox answers;
        server->Start(requests);
        client->Start(answers);
        for (size_t size : {size_t{0}, size_t{1}, size_t{1400}, Datagrams::kLargest}) {
            std::string text(size, 'x');
            requests.got.clear();
            answers.got.clear();
            REQUIRE(client->Send(At(host, *server), text) == Sent::kOk);
            REQUIRE(requests.Await(loop, 1));
            REQUIRE(requests.got[0].first == At(host, *client));
            REQUIRE(requests.got[0].second == text);
            REQUIRE(server->Send(requests.got[0].first, text) == Sent::kOk);
            REQUIRE(answers.Await(loop, 1));
            REQUIRE(answers.got[0].second == text);
        }
        REQUIRE(client->Send(At(host, *server), std::string(Datagrams::kLargest + 1, 'x')) ==
                Sent::kTooLarge);
    }
}

TEST_CASE("datagrams: [::] serves IPv4 too, whose senders are IPv4 ones") {
    Loop loop("test");
    auto server = Open(loop, "[::]:0");
    auto client = Open(loop, "127.0.0.1:0");
    auto client6 = Open(loop, "[::1]:0");
    Inbox requests;
    Inbox answers;
    server->Start(requests);
    client->Start(answers);
    client6->Start(answers);
    REQUIRE(client->Send(At("127.0.0.1", *server), "four") == Sent::kOk);
    REQUIRE(requests.Await(loop, 1));
    REQUIRE(requests.got[0].first == At("127.0.0.1", *client));
    REQUIRE(server->Send(requests.got[0].first, "4") == Sent::kOk);
    REQUIRE(client6->Send(At("[::1]", *server), "six") == Sent::kOk);
    REQUIRE(requests.Await(loop, 2));
    REQUIRE(requests.got[1].first == At("[::1]", *client6));
    REQUIRE(server->Send(requests.got[1].first, "6") == Sent::kOk);
    REQUIRE(answers.Await(loop, 2));
}

TEST_CASE("datagrams: a second bind says who is in the way") {
    Loop loop("test");
    auto first = Open(loop, "127.0.0.1:0");
    auto second = Datagrams::Bind(loop, first->address());
    REQUIRE_FALSE(second);
    REQUIRE(second.error().code == Errc::kExists);
    REQUIRE(second.error().message.starts_with(first->address().ToString() + ": bind: "));
    REQUIRE(second.error().message.ends_with("another program listens there"));
    REQUIRE_FALSE(Datagrams::Bind(loop, *ParseAddress("unix:///run/x.sock")));
}

TEST_CASE("datagrams: a flood leaves the loop's other users their turn") {
    Loop loop("test");
    auto server = Open(loop, "127.0.0.1:0");
    auto client = Open(loop, "127.0.0.1:0");
    Inbox requests;
    size_t at_turn = 0;
    requests.then = [&] {
        // Each one read brings a new one: nobody else would ever be heard.
        client->Send(At("127.0.0.1", *server), "again");
        if (requests.got.size() == 1) {
            loop.Post([&] { at_turn = requests.got.size(); });
        }
    };
    server->Start(requests);
    REQUIRE(client->Send(At("127.0.0.1", *server), "first") == Sent::kOk);
    REQUIRE(loop.RunUntil([&at_turn] { return at_turn > 0; }));
    REQUIRE(at_turn >= 1);
    REQUIRE(requests.Await(loop, 1000));
}

TEST_CASE("datagrams: what waits when the reading stops stays unread") {
    Loop loop("test");
    auto server = Open(loop, "127.0.0.1:0");
    auto client = Open(loop, "127.0.0.1:0");
    Inbox requests;
    requests.then = [&server] { server->StopReading(); };
    server->Start(requests);
    for (const char* text : {"one", "two", "three"}) {
        REQUIRE(client->Send(At("127.0.0.1", *server), text) == Sent::kOk);
    }
    REQUIRE(requests.Await(loop, 1));
    bool later = false;
    loop.Post([&later] { later = true; });
    REQUIRE(loop.RunUntil([&later] { return later; }));
    REQUIRE(requests.got.size() == 1);
    REQUIRE(server->Send(At("127.0.0.1", *client), "still sends") == Sent::kOk);
    requests.then = nullptr;
    server->Start(requests);
    REQUIRE(requests.Await(loop, 3));
    REQUIRE(requests.got[2].second == "three");
}

TEST_CASE("datagrams: may be destroyed by the datagram that came") {
    Loop loop("test");
    auto server = Open(loop, "127.0.0.1:0");
    auto client = Open(loop, "127.0.0.1:0");
    struct Last final : DatagramHandler {
        void OnDatagram(const Peer&, Bytes bytes) override {
            server->reset();
            got = bytes;  // still valid
        }
        std::unique_ptr<Datagrams>* server = nullptr;
        std::string got;
    } last;
    last.server = &server;
    server->Start(last);
    REQUIRE(client->Send(At("127.0.0.1", *server), "last words") == Sent::kOk);
    REQUIRE(client->Send(At("127.0.0.1", *server), "too late") == Sent::kOk);
    REQUIRE(loop.RunUntil([&last] { return !last.got.empty(); }));
    REQUIRE(last.got == "last words");
    REQUIRE(server == nullptr);
}

TEST_CASE("datagrams: peers that can't be reached disturb nobody") {
    Loop loop("test");
    auto server = Open(loop, "127.0.0.1:0");
    auto client = Open(loop, "127.0.0.1:0");
    Inbox requests;
    server->Start(requests);
    Peer nobody = Nobody(loop);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(server->Send(nobody, "x") == Sent::kOk);
    }
    REQUIRE(server->Send(*Peer::Parse("127.0.0.1:0"), "x") == Sent::kFailed);
    REQUIRE(server->Send(*Peer::Parse("[::1]:1"), "x") == Sent::kFailed);
    REQUIRE(client->Send(At("127.0.0.1", *server), "heard") == Sent::kOk);
    REQUIRE(requests.Await(loop, 1));
}

TEST_CASE("datagrams: a pending error of the socket is taken and forgotten") {
    Loop loop("test");
    // A socket that the test holds too: connected ones are told of errors.
    int ours = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(ours, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(getsockname(ours, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    setenv(heritage::kVariable, std::to_string(ours).c_str(), 1);
    heritage::Receive();
    auto server = Open(loop, "127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    Inbox requests;
    server->Start(requests);
    Peer nobody = Nobody(loop);
    std::string text = nobody.ToString();
    sockaddr_in to = address;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(text.substr(text.rfind(':') + 1))));
    REQUIRE(connect(ours, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(server->Send(nobody, "x") == Sent::kOk);  // told of the one before, each time
    }
    bool later = false;
    loop.Post([&later] { later = true; });
    REQUIRE(loop.RunUntil([&later] { return later; }));
    auto client = Open(loop, "127.0.0.1:0");
    to.sin_port = htons(client->address().port);
    REQUIRE(connect(ours, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    REQUIRE(client->Send(At("127.0.0.1", *server), "heard") == Sent::kOk);
    REQUIRE(requests.Await(loop, 1));
    heritage::Drop();
}

TEST_CASE("datagrams: a full kernel buffer is waited out, in order, up to the bound") {
    Loop loop("test");
    auto server = Open(loop, "127.0.0.1:0");
    auto client = Open(loop, "127.0.0.1:0");
    Inbox answers;
    client->Start(answers);
    Peer to = At("127.0.0.1", *client);
    bool filled = false;
    std::vector<Sent> sent;
    size_t large = 0;
    std::thread busy([&] {
        filled = FillKernelBuffer();
        loop.RunUntil([] { return true; });  // the loop is this thread's
        for (const char* text : {"one", "two", "three"}) {
            sent.push_back(server->Send(to, text));
        }
        std::string most(Datagrams::kLargest, 'x');
        while (large < 1000 && server->Send(to, most) == Sent::kOk) {
            ++large;
        }
        sent.push_back(server->Send(to, most));
    });
    busy.join();
    REQUIRE(filled);
    REQUIRE(sent == std::vector{Sent::kOk, Sent::kOk, Sent::kOk, Sent::kQueueFull});
    REQUIRE(large == Datagrams::kQueue / Datagrams::kLargest - 1);
    // The kernel takes them again, from this thread; what it has no room for at the receiver is lost.
    REQUIRE(answers.Await(loop, 3));
    REQUIRE(answers.got[0].second == "one");
    REQUIRE(answers.got[1].second == "two");
    REQUIRE(answers.got[2].second == "three");
    answers.got.clear();
    REQUIRE(server->Send(to, "after them") == Sent::kOk);
    REQUIRE(loop.RunUntil(
        [&answers] { return !answers.got.empty() && answers.got.back().second == "after them"; }));
}

}  // namespace rr::net
