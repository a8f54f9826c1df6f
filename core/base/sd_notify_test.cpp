#include "core/base/sd_notify.hpp"

#include <catch2/catch.hpp>

using rr::NotifySocketName;
using namespace std::string_literals;

TEST_CASE("sd_notify: a path stays, an abstract name begins with a zero byte") {
    REQUIRE(*NotifySocketName("/run/systemd/notify") == "/run/systemd/notify");
    REQUIRE(*NotifySocketName("@a/b") == "\0a/b"s);
}

TEST_CASE("sd_notify: what is no socket is refused") {
    REQUIRE_FALSE(NotifySocketName(""));
    REQUIRE_FALSE(NotifySocketName("@"));
    REQUIRE_FALSE(NotifySocketName("vsock:2:1"));
    REQUIRE(NotifySocketName("/" + std::string(106, 'x')));
    REQUIRE_FALSE(NotifySocketName("/" + std::string(107, 'x')));
    REQUIRE(NotifySocketName("@" + std::string(107, 'x')));
    REQUIRE_FALSE(NotifySocketName("@" + std::string(108, 'x')));
}

TEST_CASE("sd_notify: without the variable nothing is sent and nothing fails") {
    REQUIRE(rr::Notifier().Send("READY=1"));
}
