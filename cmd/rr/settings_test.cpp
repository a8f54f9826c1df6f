#include "cmd/rr/settings.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::cmd;

static std::unique_ptr<config::Config> Configured(std::string_view text) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(text));
    REQUIRE(config);
    return std::move(*config);
}

TEST_CASE("settings: without a section RoadRunner's defaults hold") {
    auto config = Configured("");
    ProgramConfig c = ReadProgramConfig(*config, 16);
    REQUIRE(c.grace_period == std::chrono::seconds(30));
    REQUIRE(c.watchdog_sec == 0);
    REQUIRE(c.loops == 1);
    REQUIRE(c.bad_log_level.empty());
}

TEST_CASE("settings: endure and http.loops are read") {
    auto config = Configured(
        "endure: {grace_period: 5s, watchdog_sec: 4, log_level: foo, print_graph: true}\n"
        "http: {loops: auto}\n");
    ProgramConfig c = ReadProgramConfig(*config, 16);
    REQUIRE(c.grace_period == std::chrono::seconds(5));
    REQUIRE(c.watchdog_sec == 4);
    REQUIRE(c.print_graph);
    REQUIRE(c.bad_log_level == "foo");
    REQUIRE(c.loops == 4);
    REQUIRE(ReadProgramConfig(*config, 2).loops == 1);
    REQUIRE(config->problems().empty());
}

TEST_CASE("settings: a wrong number of loops is named with its line") {
    auto config = Configured("http:\n  loops: many\n");
    REQUIRE(ReadProgramConfig(*config, 4).loops == 1);
    REQUIRE(config->problems().size() == 1);
    REQUIRE(config->problems()[0] ==
            ".rr.yaml:3: http.loops: expected a number from 1 to 256, or auto");
    auto zero = Configured("http: {loops: 0}\n");
    (void)ReadProgramConfig(*zero, 4);
    REQUIRE(zero->problems().size() == 1);
}
