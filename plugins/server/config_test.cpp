#include "plugins/server/config.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::server;
using Words = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

static std::unique_ptr<config::Config> Configured(std::string_view text) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(text));
    REQUIRE(config);
    return std::move(*config);
}

TEST_CASE("server: every key of the section is read") {
    auto config = Configured(R"(
server:
  command: "php -d 'a b' worker.php"
  user: www-data
  group: www
  env: {APP_ENV: prod, x: "1"}
  relay: unix://rr.sock
  relay_timeout: 60s
  protocol: v2
  on_init:
    command: [php, init.php, "a b"]
    exec_timeout: 5s
    exit_on_error: true
    user: root
    env: [{A: 1}, {B: 2}]
)");
    ServerConfig c = ParseServerConfig(config->Get("server"));
    config->Finish();
    REQUIRE(config->problems().empty());
    REQUIRE(config->warnings().empty());
    REQUIRE(c.command == Words{"php", "-d", "a b", "worker.php"});
    REQUIRE(c.user == "www-data");
    REQUIRE(c.group == "www");
    REQUIRE(c.env == Pairs{{"app_env", "prod"}, {"x", "1"}});
    REQUIRE(c.relay == "unix://rr.sock");
    REQUIRE(c.protocol == pool::Protocol::kV2);
    REQUIRE(c.on_init);
    REQUIRE(c.on_init->command == Words{"php", "init.php", "a b"});
    REQUIRE(c.on_init->exec_timeout == std::chrono::seconds(5));
    REQUIRE(c.on_init->exit_on_error);
    REQUIRE(c.on_init->user == "root");
    REQUIRE(c.on_init->env == Pairs{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("server: defaults are RoadRunner's") {
    auto config = Configured("server: {command: php w.php}\n");
    ServerConfig c = ParseServerConfig(config->Get("server"));
    REQUIRE(c.relay == "pipes");
    REQUIRE(c.protocol == pool::Protocol::kAuto);
    REQUIRE_FALSE(c.on_init);
    auto pipe = Configured("server: {command: php w.php, relay: pipe}\n");
    REQUIRE(ParseServerConfig(pipe->Get("server")).relay == "pipes");
    auto block = Configured("server: {command: php w.php, on_init: {command: x}}\n");
    REQUIRE(ParseServerConfig(block->Get("server")).on_init->exec_timeout ==
            std::chrono::seconds(60));
}

TEST_CASE("server: everything that is wrong is named with its line, at once") {
    auto config = Configured(
        "server:\n  relay: udp://x\n  protocol: v4\n  on_init:\n    exec_timeout: soon\n");
    (void)ParseServerConfig(config->Get("server"));
    const Words& problems = config->problems();
    auto says = [&problems](std::string_view text) {
        for (const std::string& problem : problems) {
            if (problem.find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    };
    REQUIRE(says("server.command: command should not be empty"));
    REQUIRE(says(".rr.yaml:3: server.relay: invalid DSN"));
    REQUIRE(says(".rr.yaml:4: server.protocol:"));
    REQUIRE(says("server.on_init.command: on_init command should not be empty"));
    REQUIRE(says(".rr.yaml:6: server.on_init.exec_timeout:"));
    REQUIRE(problems.size() == 5);
}

TEST_CASE("server: a relay to which no PHP worker could connect is warned about") {
    auto config = Configured("server: {command: php w.php, relay: 'tcp://:6001'}\n");
    (void)ParseServerConfig(config->Get("server"));
    REQUIRE(config->problems().empty());
    REQUIRE(config->warnings().size() == 1);
}

TEST_CASE("server: what rr inherited is stronger than the variables of on_init") {
    setenv("RR_TEST_INHERITED", "outer", 1);
    pool::ServerSettings worker;
    worker.env = {{"a", "1"}};
    worker.user = "somebody";
    worker.group = "some";
    OnInitConfig on_init;
    on_init.env = {{"rr_test_inherited", "inner"}, {"rr_test_new", "inner"}};
    on_init.user = "root";
    pool::ServerSettings s = OnInitSettings(worker, on_init);
    REQUIRE(s.env == Pairs{{"RR_TEST_NEW", "inner"}});
    REQUIRE(s.user == "root");
    REQUIRE(s.group.empty());
}
