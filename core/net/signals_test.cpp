#include "core/net/signals.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

using namespace rr;

TEST_CASE("signals: each one arrives as a loop event under its name") {
    Loop loop("test");
    std::vector<net::Signal> caught;
    net::Signals signals(loop, [&caught](net::Signal s) { caught.push_back(s); });
    raise(SIGUSR1);
    REQUIRE(loop.RunUntil([&caught] { return caught.size() == 1; }));
    raise(SIGTERM);
    REQUIRE(loop.RunUntil([&caught] { return caught.size() == 2; }));
    raise(SIGHUP);
    REQUIRE(loop.RunUntil([&caught] { return caught.size() == 3; }));
    REQUIRE(caught == std::vector<net::Signal>{net::Signal::kUser1, net::Signal::kTerminate,
                                               net::Signal::kHangup});
}

TEST_CASE("signals: what came while they were held is not lost") {
    Loop loop("test");
    net::HoldSignals();
    raise(SIGUSR2);
    bool caught = false;
    net::Signals signals(loop, [&caught](net::Signal s) { caught = s == net::Signal::kUser2; });
    REQUIRE(loop.RunUntil([&caught] { return caught; }));
}
