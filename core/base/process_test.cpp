#include "core/base/process.hpp"

#include <catch2/catch.hpp>

namespace process = rr::process;

TEST_CASE("process: a path becomes absolute without following links") {
    REQUIRE(process::Absolute("x.yaml", "/srv/app") == "/srv/app/x.yaml");
    REQUIRE(process::Absolute("./a/../b/", "/srv/app") == "/srv/app/b");
    REQUIRE(process::Absolute("/etc//rr/.", "/srv/app") == "/etc/rr");
    REQUIRE(process::Absolute("../../..", "/srv/app") == "/");
    REQUIRE(process::Absolute("", "/srv/app") == "/srv/app");
}

TEST_CASE("process: a missing directory fails with Go's text") {
    auto moved = process::ChangeDirectory("/nonexistent/x");
    REQUIRE_FALSE(moved);
    REQUIRE(moved.error().message == "chdir /nonexistent/x: no such file or directory");
}

TEST_CASE("process: a program without a slash is found in PATH") {
    REQUIRE(process::ExecutablePath("sh").ends_with("/sh"));
    REQUIRE(process::ExecutablePath("/x/../bin/sh") == "/bin/sh");
}

TEST_CASE("process: no pid below 1 is ever signalled") {
    REQUIRE_FALSE(process::Terminate(0));
    REQUIRE_FALSE(process::Terminate(-1));
    REQUIRE_FALSE(process::Terminate(int64_t{1} << 40));
    REQUIRE_FALSE(process::Exists(0));
}
