// The plugin in a container of its own, with real commands.
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "core/pool/services.hpp"
#include "plugins/hooks/plugin.hpp"

using namespace rr;
using namespace std::chrono_literals;

namespace {

class Recorder final : public log::Channel {
public:
    Recorder() { SetLevel(log::Level::kInfo); }
    void Write(log::Level level, std::string_view message, const log::Field* fields,
               size_t count) override {
        std::string text = level == log::Level::kInfo ? "I " : "W ";
        text += message;
        for (size_t i = 0; i < count; ++i) {
            if (const auto* word = std::get_if<std::string_view>(&fields[i].value)) {
                text.append(" ").append(fields[i].key).append("=").append(*word);
            }
        }
        records.push_back(std::move(text));
    }
    bool Has(const std::string& begin) const {
        for (const std::string& record : records) {
            if (record.starts_with(begin)) {
                return true;
            }
        }
        return false;
    }
    std::vector<std::string> records;  // written on the main loop only
};

class Server final : public Container {
public:
    explicit Server(std::string_view yaml)
        : spawner(pool::Spawner::Make(main)), plugin(hooks::Make()) {
        services.main = &main;
        services.spawner = spawner.get();
        services.events = &events;
        PublishAs(typeid(pool::Services), &services);
        auto loaded = config::Config::FromText("version: '3'\n" + std::string(yaml));
        REQUIRE(loaded);
        config = std::move(*loaded);
    }

    bool Init() {
        auto enabled = plugin->Init(*config, *this);
        REQUIRE(config->problems().empty());
        REQUIRE(enabled);
        return *enabled;
    }
    Result<void> Serve() {
        std::optional<Result<void>> result;
        plugin->Serve([&](Result<void> served) { result = std::move(served); });
        REQUIRE(main.RunUntil([&] { return result.has_value(); }));
        return std::move(*result);
    }
    void Drain(Duration limit) {
        bool done = false;
        plugin->Drain(Clock::now() + limit, [&] { done = true; });
        REQUIRE(main.RunUntil([&] { return done; }));
    }
    void Stop(Duration limit = 10s) {
        bool done = false;
        plugin->Stop(Clock::now() + limit, [&] { done = true; });
        REQUIRE(main.RunUntil([&] { return done; }));
    }
    bool Until(Callback<bool()> holds) { return main.RunUntil(holds); }

    Loop& MainLoop() override { return main; }
    Loop& DataLoop(size_t) override { return main; }
    size_t DataLoops() const override { return 1; }
    log::Logger Log(std::string_view) override { return log::Logger(&recorder); }
    EventBus& Events() override { return events; }
    void Fail(std::string_view name, Error error) override {
        failure = std::string(name) + ": " + error.message;
    }
    void RequestStop() override {}
    bool draining() const override { return false; }
    void Announce(std::string_view) override {}

    Loop main{"main"};
    Recorder recorder;
    EventBus events;
    std::unique_ptr<pool::Spawner> spawner;
    pool::Services services;
    std::unique_ptr<config::Config> config;
    std::unique_ptr<Plugin> plugin;
    std::string failure;

    void Unpublish() { published_.clear(); }

private:
    void PublishAs(std::type_index type, void* object) override { published_[type] = {object}; }
    std::vector<void*> Find(std::type_index type) override { return published_[type]; }
    std::map<std::type_index, std::vector<void*>> published_;
};

WorkerEvent Exited() {
    return {.change = WorkerChange::kExited, .pool = "http", .pid = 42, .exit_code = 3};
}

}  // namespace

TEST_CASE("hooks: a command gets the event in its environment, its output is logged by lines") {
    Server server(
        "hooks:\n"
        "  worker_exited:\n"
        "    command: [sh, -c, 'printenv RR_EVENT RR_EVENT_POOL; printenv RR_EVENT_PID >&2;"
        " printf code; cat']\n");
    REQUIRE(server.Init());
    REQUIRE(server.Serve());
    server.events.worker.Emit({.change = WorkerChange::kReady, .pool = "http", .pid = 1});
    server.events.worker.Emit(Exited());
    const Recorder& log = server.recorder;
    REQUIRE(server.Until([&] {
        return log.Has("I worker_exited event=worker_exited") &&
               log.Has("I http event=worker_exited") && log.Has("I 42 event=worker_exited") &&
               log.Has("I code event=worker_exited");
    }));
    server.Stop();
    REQUIRE(log.records.size() == 4);
    REQUIRE(server.failure.empty());
}

TEST_CASE("hooks: events nobody has a command for keep their channels free") {
    Server server("hooks: {worker_exited: {command: 'true'}}\n");
    REQUIRE(server.Init());
    REQUIRE(server.events.worker);
    REQUIRE_FALSE(server.events.request);
    REQUIRE_FALSE(server.events.connection);
    REQUIRE_FALSE(server.events.server);
    server.Stop();
}

TEST_CASE("hooks: without a section or without a server section the plugin is disabled") {
    Server none("");
    REQUIRE_FALSE(none.Init());
    Server alone("hooks: {worker_exited: {command: 'true'}}\n");
    alone.Unpublish();
    REQUIRE_FALSE(alone.Init());
    REQUIRE(alone.recorder.Has("I plugin is disabled missing=server"));
}

TEST_CASE("hooks: server_starting ends before Serve is done, fail: stop ends the start") {
    Server good("hooks: {server_starting: {command: [sh, -c, 'printenv RR_EVENT']}}\n");
    REQUIRE(good.Init());
    REQUIRE(good.Serve());
    REQUIRE(good.recorder.Has("I server_starting event=server_starting"));
    good.Stop();

    Server harmless("hooks: {server_starting: {command: [sh, -c, 'exit 4']}}\n");
    REQUIRE(harmless.Init());
    REQUIRE(harmless.Serve());
    REQUIRE(harmless.recorder.Has("W hook failed error=server_starting: exited with 4"));
    harmless.Stop();

    Server strict("hooks: {server_starting: {command: [sh, -c, 'exit 4'], fail: stop}}\n");
    REQUIRE(strict.Init());
    const auto served = strict.Serve();
    REQUIRE_FALSE(served);
    REQUIRE(served.error().message == "server_starting: exited with 4");
    strict.Stop();
}

TEST_CASE("hooks: a command that does not exist is a failed hook") {
    Server server("hooks: {server_starting: {command: no-such-command-at-all, fail: stop}}\n");
    REQUIRE(server.Init());
    const auto served = server.Serve();
    REQUIRE_FALSE(served);
    REQUIRE(served.error().message.find("executable file not found") != std::string::npos);
    server.Stop();
}

TEST_CASE("hooks: the whole process group is killed at the timeout") {
    Server server(
        "hooks: {server_starting: {command: [sh, -c, 'echo begun; sleep 60 & wait'],"
        " timeout: 200ms, fail: stop}}\n");
    REQUIRE(server.Init());
    const auto begun = Clock::now();
    const auto served = server.Serve();
    REQUIRE_FALSE(served);
    REQUIRE(served.error().message.starts_with("server_starting: killed after "));
    REQUIRE(Clock::now() - begun < 20s);
    REQUIRE(server.recorder.Has("I begun"));
    server.Stop();
}

TEST_CASE("hooks: server_stopping runs while the server drains, and not past its deadline") {
    Server server("hooks: {server_stopping: {command: [sh, -c, 'echo bye']}}\n");
    REQUIRE(server.Init());
    REQUIRE(server.Serve());
    server.Drain(10s);
    REQUIRE(server.recorder.Has("I bye event=server_stopping"));
    server.Stop();

    Server slow("hooks: {server_stopping: {command: sleep 60, fail: stop}}\n");
    REQUIRE(slow.Init());
    REQUIRE(slow.Serve());
    slow.Drain(100ms);
    REQUIRE(slow.failure.starts_with("hooks: server_stopping: killed after "));
    slow.Stop();
}

TEST_CASE("hooks: fail: stop ends the server when a background command fails") {
    Server server("hooks: {worker_exited: {command: [sh, -c, 'kill -15 0'], fail: stop}}\n");
    REQUIRE(server.Init());
    REQUIRE(server.Serve());
    server.events.worker.Emit(Exited());
    REQUIRE(server.Until([&] { return !server.failure.empty(); }));
    REQUIRE(server.failure == "hooks: worker_exited: ended by signal 15");
    server.Stop();
}

TEST_CASE("hooks: sixteen run at once, the others are dropped and counted") {
    Server server("hooks: {request_finished: {command: sleep 60}}\n");
    REQUIRE(server.Init());
    REQUIRE(server.Serve());
    std::thread data([&] {  // events come from the data loops
        for (int i = 0; i < 20; ++i) {
            server.events.request.Emit({.phase = RequestPhase::kFinished, .method = "GET"});
            server.events.request.Emit({.phase = RequestPhase::kBegun, .method = "GET"});
        }
    });
    data.join();
    REQUIRE(server.Until(
        [&] { return server.recorder.Has("W hooks were dropped, too many are running"); }));
    server.Stop(100ms);  // kills what still runs
    REQUIRE(server.recorder.Has("W hook failed error=request_finished: killed after "));
}
