#include "plugins/service/config.hpp"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::service;
using namespace std::chrono_literals;

namespace {

struct Parsed {
    std::vector<ServiceConfig> services;
    std::vector<std::string> problems;
};

Parsed Parse(const std::string& yaml) {
    auto config = config::Config::FromText("version: '3'\n" + yaml);
    REQUIRE(config);
    Parsed parsed;
    parsed.services = ParseServices((*config)->Get("service"));
    (*config)->Finish(true);
    parsed.problems = (*config)->problems();
    return parsed;
}

}  // namespace

TEST_CASE("service: the defaults are RoadRunner's") {
    const Parsed parsed = Parse("service:\n  Ticker:\n    command: php tick.php --now\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.services.size() == 1);
    const ServiceConfig& c = parsed.services[0];
    REQUIRE(c.name == "ticker");
    REQUIRE(c.command == std::vector<std::string>{"php", "tick.php", "--now"});
    REQUIRE(c.process_num == 1);
    REQUIRE(c.exec_timeout == 0s);
    REQUIRE_FALSE(c.remain_after_exit);
    REQUIRE(c.restart == 30s);
    REQUIRE(c.timeout_stop == 5s);
    REQUIRE_FALSE(c.service_name_in_log);
    REQUIRE(c.env.empty());
    REQUIRE(c.user.empty());
}

TEST_CASE("service: every key, quotes in the command, zero as the default") {
    const Parsed parsed = Parse(
        "service:\n"
        "  a:\n"
        "    command: sh -c \"echo 'a b'\"\n"
        "    process_num: 3\n"
        "    exec_timeout: 90s\n"
        "    remain_after_exit: true\n"
        "    restart_sec: 2\n"
        "    timeout_stop_sec: 7\n"
        "    service_name_in_log: true\n"
        "    env: [{Key: value}]\n"
        "    user: nobody\n"
        "  b: {command: [php, 'a b'], process_num: 0, restart_sec: 0, timeout_stop_sec: 0}\n");
    REQUIRE(parsed.problems.empty());
    const ServiceConfig& a = parsed.services[0];
    REQUIRE(a.command == std::vector<std::string>{"sh", "-c", "echo 'a b'"});
    REQUIRE(a.process_num == 3);
    REQUIRE(a.exec_timeout == 90s);
    REQUIRE(a.remain_after_exit);
    REQUIRE(a.restart == 2s);
    REQUIRE(a.timeout_stop == 7s);
    REQUIRE(a.service_name_in_log);
    REQUIRE(a.env == std::vector<std::pair<std::string, std::string>>{{"key", "value"}});
    REQUIRE(a.user == "nobody");
    const ServiceConfig& b = parsed.services[1];
    REQUIRE(b.command == std::vector<std::string>{"php", "a b"});
    REQUIRE(b.process_num == 1);
    REQUIRE(b.restart == 30s);
    REQUIRE(b.timeout_stop == 5s);
}

TEST_CASE("service: what is wrong is named with its place") {
    const Parsed parsed = Parse(
        "service:\n"
        "  a: {process_num: 1}\n"
        "  b: {command: x, process_num: -1}\n"
        "  c: {command: x, restart_sec: 5s}\n"
        "  d: {command: x, timout_stop_sec: 5}\n"
        "  e: x\n");
    REQUIRE(parsed.problems.size() == 5);
    REQUIRE(parsed.problems[0].find(":3: service.a.command: missing") != std::string::npos);
    REQUIRE(parsed.problems[1].find(":4: service.b.process_num: ") != std::string::npos);
    REQUIRE(parsed.problems[2].find(":5: service.c.restart_sec: ") != std::string::npos);
    REQUIRE(parsed.problems[3].find("timeout_stop_sec") != std::string::npos);
    REQUIRE(parsed.problems[4].find(":7: service.e: expected a section") != std::string::npos);
}

TEST_CASE("service: an empty section is there, and has no services") {
    REQUIRE(Parse("service: {}\n").services.empty());
    REQUIRE(Parse("service: {}\n").problems.empty());
}
