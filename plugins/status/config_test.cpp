#include "plugins/status/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::status;

namespace {

struct Parsed {
    StatusConfig status;
    std::vector<std::string> problems;
};

Parsed Parse(std::string_view yaml, bool legacy = false) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(yaml));
    REQUIRE(config);
    const StatusConfig status = ParseStatusConfig((*config)->Get("status"), legacy);
    return {status, (*config)->problems()};
}

}  // namespace

TEST_CASE("status config: an address is enough") {
    const Parsed parsed = Parse("status: {address: '127.0.0.1:2114'}\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.status.address == "127.0.0.1:2114");
    REQUIRE(parsed.status.unavailable_status_code == 503);
    REQUIRE_FALSE(parsed.status.strict_ready);
    REQUIRE_FALSE(parsed.status.drain_unhealthy);
    REQUIRE_FALSE(parsed.status.every_path);
}

TEST_CASE("status config: every key is read") {
    const Parsed parsed = Parse(
        "status: {address: ':2114', check_timeout: 10, unavailable_status_code: 500,\n"
        "         strict_ready: true, drain_unhealthy: true}\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.status.unavailable_status_code == 500);
    REQUIRE(parsed.status.strict_ready);
    REQUIRE(parsed.status.drain_unhealthy);
}

TEST_CASE("status config: in a file of RoadRunner 1.x every path is asked, and 500 says no") {
    const Parsed parsed = Parse("status: {address: ':2114'}\n", true);
    REQUIRE(parsed.status.every_path);
    REQUIRE(parsed.status.unavailable_status_code == 500);
}

TEST_CASE("status config: what is wrong is named with its line") {
    const std::pair<std::string, std::string> cases[] = {
        {"status: {check_timeout: 10}\n", ".rr.yaml:2: status.address: missing; say where"},
        {"status:\n  address: nowhere\n", ".rr.yaml:3: status.address: expected host:port"},
        {"status:\n  address: ':1'\n  check_timeout: 30s\n", ".rr.yaml:4: status.check_timeout: "},
        {"status:\n  address: ':1'\n  unavailable_status_code: 99\n",
         ".rr.yaml:4: status.unavailable_status_code: must be between 100 and 599"},
    };
    for (const auto& [yaml, problem] : cases) {
        const Parsed parsed = Parse(yaml);
        INFO(yaml);
        REQUIRE(parsed.problems.size() == 1);
        INFO(parsed.problems[0]);
        REQUIRE(parsed.problems[0].starts_with(problem));
    }
}

TEST_CASE("status config: without the section nothing is wrong") {
    REQUIRE(Parse("http: {}\n").problems.empty());
}
