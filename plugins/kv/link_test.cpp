#include "plugins/kv/link.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/listener.hpp"
#include "plugins/kv/memcached/dialect.hpp"

namespace rr::kv {
namespace {

using memcached::MemcachedCall;
using memcached::MemcachedDialect;

// A server that does what a test wants with what it gets.
class FakeServer {
public:
    class Peer final : public net::StreamHandler {
    public:
        Peer(Loop& loop, int descriptor) : stream(loop, net::Stream::Kind::kTcp, descriptor, this) {
            stream.StartReading();
        }
        std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
        void OnData(size_t size) override { got.append(net::ReadScratch().data(), size); }
        void OnClosed(net::CloseReason) override { closed = true; }

        net::Stream stream;
        std::string got;
        bool closed = false;
    };

    explicit FakeServer(Loop& loop)
        : listener_(*net::Listener::Bind(loop, *net::ParseAddress("127.0.0.1:0"), {})) {
        listener_->Accept(
            [this, &loop](int descriptor, net::Stream::Kind) {
                peers.push_back(std::make_unique<Peer>(loop, descriptor));
                if (hangs_up) {
                    peers.back().reset();
                }
            },
            [](const std::string&) {});
    }

    const net::Address& address() const { return listener_->address(); }

    std::vector<std::unique_ptr<Peer>> peers;
    bool hangs_up = false;

private:
    std::unique_ptr<net::Listener> listener_;
};

class Owner final : public LinkOwner {
public:
    Owner(Loop& loop, const net::Address& address, const LinkSettings& settings = {})
        : loop_(loop), link(loop, settings, address, std::make_unique<MemcachedDialect>(), *this) {}

    void Call(const std::string& wire, Duration limit = std::chrono::seconds(20)) {
        auto call = std::make_unique<MemcachedCall>(MemcachedCall::Kind::kLine);
        call->wire = wire;
        call->deadline = loop_.Now() + limit;
        link.Submit(std::move(call));
    }
    // `ok`, or the code of the error as a number, one for each answer.
    void OnAnswer(Link&, std::unique_ptr<kv::Call>, Result<void> result) override {
        answers.push_back(result ? "ok" : result.error().message);
        codes.push_back(result ? Errc::kInternal : result.error().code);
    }
    void OnDown(Link&, const Error&) override { ++downs; }
    void OnUp(Link&) override { ++ups; }

private:
    Loop& loop_;

public:
    Link link;
    std::vector<std::string> answers;
    std::vector<Errc> codes;
    int downs = 0;
    int ups = 0;
};

}  // namespace

TEST_CASE("kv link: calls go out at once and are answered in their order") {
    Loop loop("test");
    FakeServer server(loop);
    Owner owner(loop, server.address());
    owner.Call("one\r\n");
    owner.Call("two\r\n");
    REQUIRE(loop.RunUntil(
        [&] { return server.peers.size() == 1 && server.peers[0]->got == "one\r\ntwo\r\n"; }));
    REQUIRE(owner.answers.empty());
    server.peers[0]->stream.Queue("OK\r\nOK\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 2; }));
    REQUIRE(owner.answers == std::vector<std::string>{"ok", "ok"});
}

TEST_CASE("kv link: what was not answered goes to the next connection, in its order") {
    Loop loop("test");
    FakeServer server(loop);
    Owner owner(loop, server.address());
    for (const char* wire : {"one\r\n", "two\r\n", "three\r\n"}) {
        owner.Call(wire);
    }
    REQUIRE(loop.RunUntil(
        [&] { return server.peers.size() == 1 && server.peers[0]->got.ends_with("three\r\n"); }));
    server.peers[0]->stream.Queue("OK\r\nST");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 1; }));
    server.peers[0].reset();
    REQUIRE(loop.RunUntil(
        [&] { return server.peers.size() == 2 && server.peers[1]->got == "two\r\nthree\r\n"; }));
    server.peers[1]->stream.Queue("STORED\r\nSTORED\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 3; }));
    REQUIRE(owner.answers == std::vector<std::string>{"ok", "ok", "ok"});
    REQUIRE(owner.downs == 0);
}

TEST_CASE("kv link: a server that hangs up each time is tried max_retries times more") {
    Loop loop("test");
    FakeServer server(loop);
    server.hangs_up = true;
    Owner owner(loop, server.address());
    owner.Call("one\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 1; }));
    REQUIRE(owner.codes[0] == Errc::kClosed);
    REQUIRE(server.peers.size() == 4);
    REQUIRE(owner.downs == 1);
    // Known to be down: the next failed attempt ends a call.
    owner.Call("two\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 2; }));
    REQUIRE(server.peers.size() == 5);
    server.hangs_up = false;
    owner.Call("three\r\n");
    REQUIRE(loop.RunUntil(
        [&] { return server.peers.size() == 6 && server.peers[5]->got == "three\r\n"; }));
    server.peers[5]->stream.Queue("OK\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 3; }));
    REQUIRE(owner.ups == 1);
}

TEST_CASE("kv link: an answer that nobody asked for ends the connection, not the calls") {
    Loop loop("test");
    FakeServer server(loop);
    Owner owner(loop, server.address());
    owner.Call("one\r\n");
    REQUIRE(loop.RunUntil([&] { return server.peers.size() == 1; }));
    server.peers[0]->stream.Queue("OK\r\nOK\r\n");
    REQUIRE(loop.RunUntil([&] { return server.peers[0]->closed; }));
    REQUIRE(owner.answers == std::vector<std::string>{"ok"});
    owner.Call("two\r\n");
    REQUIRE(loop.RunUntil([&] { return server.peers.size() == 2; }));
    server.peers[1]->stream.Queue("OK\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 2; }));
    REQUIRE(owner.answers[1] == "ok");
}

TEST_CASE("kv link: nonsense is an error that shows it") {
    Loop loop("test");
    FakeServer server(loop);
    LinkSettings settings;
    settings.max_retries = 0;
    Owner owner(loop, server.address(), settings);
    owner.Call("one\r\n");
    REQUIRE(loop.RunUntil([&] { return server.peers.size() == 1; }));
    server.peers[0]->stream.Queue("HTTP/1.1 400 Bad Request\r\n");
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 1; }));
    REQUIRE(owner.codes[0] == Errc::kProtocol);
    REQUIRE(owner.answers[0].find("HTTP/1.1 400") != std::string::npos);
}

TEST_CASE("kv link: a peer that takes no bytes loses the connection after write_timeout") {
    Loop loop("test");
    FakeServer server(loop);
    LinkSettings settings;
    settings.max_retries = 0;
    settings.write_timeout = std::chrono::milliseconds(100);
    Owner owner(loop, server.address(), settings);
    owner.Call("one\r\n");
    REQUIRE(loop.RunUntil([&] { return server.peers.size() == 1; }));
    server.peers[0]->stream.StopReading();
    owner.Call(std::string(32 << 20, 'x'));
    REQUIRE(loop.RunUntil([&] { return owner.answers.size() == 2; }));
    REQUIRE(owner.codes == std::vector<Errc>{Errc::kTimeout, Errc::kTimeout});
    REQUIRE(owner.answers[1].ends_with("the server takes no more bytes"));
}

TEST_CASE("kv link: more than may wait is refused at once") {
    Loop loop("test");
    FakeServer server(loop);
    LinkSettings settings;
    settings.max_waiting = 10;
    Owner owner(loop, server.address(), settings);
    owner.Call("first\r\n");
    owner.Call("second\r\n");
    REQUIRE(owner.codes == std::vector<Errc>{Errc::kBusy});
    owner.link.Close();
    REQUIRE(owner.codes == std::vector<Errc>{Errc::kBusy, Errc::kClosed});
    owner.Call("third\r\n");
    REQUIRE(owner.codes.size() == 3);
}

TEST_CASE("kv link: an idle connection is replaced if it was idle too long") {
    Loop loop("test");
    FakeServer server(loop);
    LinkSettings settings;
    settings.idle_timeout = std::chrono::nanoseconds(1);
    Owner owner(loop, server.address(), settings);
    for (size_t i = 1; i <= 2; ++i) {
        const Instant begun = loop.Now();
        REQUIRE(loop.RunUntil([&] { return loop.Now() > begun; }));
        owner.Call("call\r\n");
        REQUIRE(loop.RunUntil([&] { return server.peers.size() == i; }));
        server.peers[i - 1]->stream.Queue("OK\r\n");
        REQUIRE(loop.RunUntil([&] { return owner.answers.size() == i; }));
    }
    REQUIRE(owner.answers == std::vector<std::string>{"ok", "ok"});
}

}  // namespace rr::kv
