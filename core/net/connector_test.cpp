#include "core/net/connector.hpp"

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "core/net/listener.hpp"

namespace rr::net {
namespace {

// A port of this machine on which somebody listens, or nobody any more.
struct Port {
    explicit Port(Loop& loop) : listener(*Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {})) {
        address = listener->address();
    }
    std::unique_ptr<Listener> listener;
    Address address;
};

struct Attempt {
    explicit Attempt(Loop& loop) : connector(loop) {}
    ~Attempt() {
        if (outcome && *outcome) {
            close((*outcome)->descriptor);
        }
    }
    void Start(const Address& address, Duration limit = std::chrono::seconds(10)) {
        connector.Connect(address, limit,
                          [this](Result<Connection> made) { outcome = std::move(made); });
    }
    Connector connector;
    std::optional<Result<Connection>> outcome;
};

class Silent final : public StreamHandler {
public:
    std::span<char> OnReadBuffer() override { return ReadScratch(); }
    void OnData(size_t size) override { got.append(ReadScratch().data(), size); }
    void OnClosed(CloseReason) override {}
    std::string got;
};

}  // namespace

TEST_CASE("connector: a connection to a port carries bytes") {
    Loop loop("test");
    Port port(loop);
    int accepted = -1;
    port.listener->Accept([&accepted](int fd, Stream::Kind) { accepted = fd; },
                          [](const std::string&) {});
    Attempt attempt(loop);
    attempt.Start(port.address);
    REQUIRE(attempt.connector.busy());
    REQUIRE_FALSE(attempt.outcome);
    REQUIRE(loop.RunUntil([&] { return attempt.outcome.has_value() && accepted >= 0; }));
    REQUIRE(*attempt.outcome);
    REQUIRE_FALSE(attempt.connector.busy());
    Silent near;
    Silent far;
    Stream mine(loop, (*attempt.outcome)->kind, (*attempt.outcome)->descriptor, &near);
    attempt.outcome.reset();
    Stream theirs(loop, Stream::Kind::kTcp, accepted, &far);
    theirs.StartReading();
    mine.Queue("hello");
    REQUIRE(loop.RunUntil([&far] { return far.got == "hello"; }));
}

TEST_CASE("connector: a name is looked up") {
    Loop loop("test");
    Port port(loop);
    Address named = port.address;
    named.host = "localhost";
    Attempt attempt(loop);
    attempt.Start(named);
    REQUIRE(loop.RunUntil([&] { return attempt.outcome.has_value(); }));
    REQUIRE(*attempt.outcome);
}

TEST_CASE("connector: a name that nobody knows is an error that shows it") {
    Loop loop("test");
    Attempt attempt(loop);
    attempt.Start(*ParseAddress("no-such-host.invalid:1"));
    REQUIRE(loop.RunUntil([&] { return attempt.outcome.has_value(); }));
    REQUIRE_FALSE(*attempt.outcome);
    REQUIRE(attempt.outcome->error().message.find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE("connector: nobody listens: an error at once, with the address") {
    Loop loop("test");
    auto port = std::make_unique<Port>(loop);
    const Address address = port->address;
    port.reset();
    Attempt attempt(loop);
    attempt.Start(address);
    REQUIRE(loop.RunUntil([&] { return attempt.outcome.has_value(); }));
    REQUIRE_FALSE(*attempt.outcome);
    REQUIRE(attempt.outcome->error().code == Errc::kClosed);
    REQUIRE(attempt.outcome->error().message ==
            address.ToString() + ": connect: connection refused");
}

TEST_CASE("connector: a unix socket, present and missing") {
    Loop loop("test");
    const std::string path = "/tmp/rr-connector-test-" + std::to_string(getpid()) + ".sock";
    const Address address = *ParseAddress("unix://" + path);
    Attempt missing(loop);
    missing.Start(address);
    REQUIRE(loop.RunUntil([&] { return missing.outcome.has_value(); }));
    REQUIRE(missing.outcome->error().code == Errc::kClosed);
    auto listener = Listener::Bind(loop, address, {});
    REQUIRE(listener);
    Attempt present(loop);
    present.Start(address);
    REQUIRE(loop.RunUntil([&] { return present.outcome.has_value(); }));
    REQUIRE(*present.outcome);
    REQUIRE((*present.outcome)->kind == Stream::Kind::kPipe);
}

TEST_CASE("connector: an attempt ends with its limit, whatever it waits for") {
    Loop loop("test");
    Port port(loop);
    Attempt attempt(loop);
    attempt.Start(port.address, Duration::zero());
    REQUIRE(loop.RunUntil([&] { return attempt.outcome.has_value(); }));
    // The kernel may have been quicker than a limit of nothing; else the text says what passed.
    if (!*attempt.outcome) {
        REQUIRE(attempt.outcome->error().code == Errc::kTimeout);
    }
}

TEST_CASE("connector: cancelled at any moment it says nothing and loses no descriptor") {
    Loop loop("test");
    Port port(loop);
    Address named = port.address;
    named.host = "localhost";
    {
        // The first look-up opens what the resolver keeps.
        Attempt first(loop);
        first.Start(named);
        REQUIRE(loop.RunUntil([&] { return first.outcome.has_value(); }));
    }
    const int before = dup(0);
    close(before);
    for (int turns = 0; turns < 4; ++turns) {
        for (const Address& address : {port.address, named}) {
            auto attempt = std::make_unique<Attempt>(loop);
            attempt->Start(address);
            for (int turn = 0; turn < turns && !attempt->outcome; ++turn) {
                loop.RunUntil([] { return false; }, std::chrono::nanoseconds(1));
            }
            attempt.reset();
        }
    }
    bool looked_up = false;
    loop.Offload([] {}, [&looked_up] { looked_up = true; });
    REQUIRE(loop.RunUntil([&looked_up] { return looked_up; }));
    REQUIRE(loop.RunUntil([before] {
        const int now = dup(0);
        close(now);
        return now == before;
    }));
}

}  // namespace rr::net
