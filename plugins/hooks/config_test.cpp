#include "plugins/hooks/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::hooks;

namespace {

struct Parsed {
    std::unique_ptr<config::Config> config;
    HooksConfig hooks;
};

Parsed Parse(std::string_view yaml) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(yaml));
    REQUIRE(config);
    HooksConfig hooks = ParseHooksConfig((*config)->Get("hooks"));
    return {std::move(*config), std::move(hooks)};
}

}  // namespace

TEST_CASE("hooks config: a command with its defaults") {
    const auto parsed = Parse("hooks: {worker_failed: {command: 'notify \"two words\"'}}\n");
    REQUIRE(parsed.config->problems().empty());
    const Hook* hook = parsed.hooks.Of(Event::kWorkerFailed);
    REQUIRE(hook != nullptr);
    REQUIRE(hook->command == std::vector<std::string>{"notify", "two words"});
    REQUIRE(hook->timeout == std::chrono::seconds(30));
    REQUIRE_FALSE(hook->stop_on_failure);
    REQUIRE(parsed.hooks.Of(Event::kWorkerReady) == nullptr);
}

TEST_CASE("hooks config: names may have dots or dashes, the command may be a list") {
    const auto parsed = Parse(
        "hooks:\n"
        "  server-starting: {command: [sh, -c, 'exit 1'], timeout: 5s, fail: stop}\n"
        "  worker.failed: {command: x}\n"
        "  'reset.done': {command: x}\n"
        "  reset: {begun: {command: x}}\n");
    REQUIRE(parsed.config->problems().empty());
    const Hook* hook = parsed.hooks.Of(Event::kServerStarting);
    REQUIRE(hook != nullptr);
    REQUIRE(hook->command == std::vector<std::string>{"sh", "-c", "exit 1"});
    REQUIRE(hook->timeout == std::chrono::seconds(5));
    REQUIRE(hook->stop_on_failure);
    REQUIRE(parsed.hooks.Of(Event::kWorkerFailed) != nullptr);
    REQUIRE(parsed.hooks.Of(Event::kResetDone) != nullptr);
    REQUIRE(parsed.hooks.Of(Event::kResetBegun) != nullptr);
}

TEST_CASE("hooks config: an unknown event is a problem that names the nearest one") {
    const auto parsed = Parse("hooks:\n  worker_faild: {command: x}\n");
    REQUIRE(parsed.config->problems().size() == 1);
    REQUIRE(parsed.config->problems()[0] ==
            ".rr.yaml:3: hooks.worker_faild: unknown event; did you mean worker_failed?");
}

TEST_CASE("hooks config: no command, a bad word, a bad time and two of one are problems") {
    const auto parsed = Parse(
        "hooks:\n"
        "  worker_ready: {timeout: 1s}\n"
        "  worker_failed: {command: x, fail: maybe}\n"
        "  worker_exited: {command: x, timeout: 0s}\n"
        "  worker-exited: {command: y}\n");
    REQUIRE(parsed.config->problems().size() == 4);
}

TEST_CASE("hooks config: no section, no hooks") { REQUIRE(Parse("").hooks.empty()); }
