#include "cmd/rr/container.hpp"

#include <functional>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::cmd;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

// What the fakes do and did; one per test.
struct Stage {
    Words calls;
    std::map<std::string, std::function<Result<bool>(Container&)>> init;
    std::map<std::string, std::function<void(Callback<void(Result<void>)>)>> serve;
    std::map<std::string, std::function<void(Callback<void()>)>> drain;
    std::map<std::string, std::function<void(Callback<void()>)>> stop;
};
Stage* stage = nullptr;

template <size_t kName>
class Fake final : public Plugin {
public:
    static constexpr const char* kNames[] = {"a", "b", "c"};
    const std::string name = kNames[kName];

    ~Fake() override { stage->calls.push_back("~" + name); }
    Result<bool> Init(config::Config&, Container& container) override {
        stage->calls.push_back("init " + name);
        return stage->init.contains(name) ? stage->init[name](container) : Result<bool>(true);
    }
    void Serve(Callback<void(Result<void>)> served) override {
        stage->calls.push_back("serve " + name);
        if (stage->serve.contains(name)) {
            stage->serve[name](std::move(served));
        } else {
            served({});
        }
    }
    void Drain(Deadline, Callback<void()> done) override {
        stage->calls.push_back("drain " + name);
        if (stage->drain.contains(name)) {
            stage->drain[name](std::move(done));
        } else {
            done();
        }
    }
    void Stop(Deadline, Callback<void()> done) override {
        stage->calls.push_back("stop " + name);
        if (stage->stop.contains(name)) {
            stage->stop[name](std::move(done));
        } else {
            done();
        }
    }
};

template <size_t kName>
std::unique_ptr<Plugin> Make() {
    return std::make_unique<Fake<kName>>();
}

// The container with plugins a, b (needs a) and c (needs b), and the loop it runs on.
struct World {
    explicit World(std::string_view yaml = "")
        : config(*config::Config::FromText("version: '3'\n" + std::string(yaml))) {
        stage = &acts;
        container = std::make_unique<ServerContainer>(
            main, 1, [](std::string_view) { return log::Logger(); }, *SortPlugins(table));
    }
    ~World() {
        container.reset();
        stage = nullptr;
    }

    bool Start() {
        (void)container->Init(*config);
        container->Start([this](Result<void> result) {
            start_error = result ? "" : result.error().message;
            started = true;
        });
        return main.RunUntil([this] { return started; });
    }
    ServerContainer::Outcome Stop(Duration grace = 30s) {
        bool stopped = false;
        ServerContainer::Outcome outcome;
        container->Stop(grace, [&stopped, &outcome](ServerContainer::Outcome o) {
            outcome = o;
            stopped = true;
        });
        REQUIRE(main.RunUntil([&stopped] { return stopped; }));
        return outcome;
    }

    Stage acts;
    std::vector<PluginRow> table = {
        {"c", &Make<2>, {"b"}}, {"b", &Make<1>, {"a"}}, {"a", &Make<0>}};
    Loop main{"main"};
    std::unique_ptr<config::Config> config;
    std::unique_ptr<ServerContainer> container;
    bool started = false;
    std::string start_error;
};

}  // namespace

TEST_CASE("container: plugins begin in the order of their needs and end in reverse") {
    World w;
    REQUIRE(w.Start());
    REQUIRE(w.start_error.empty());
    auto outcome = w.Stop();
    REQUIRE_FALSE(outcome.lost);
    REQUIRE_FALSE(outcome.abandoned);
    w.container.reset();
    REQUIRE(w.acts.calls == Words{"init a", "init b", "init c", "serve a", "serve b", "serve c",
                                  "drain a", "drain b", "drain c", "stop c", "stop b", "stop a",
                                  "~c", "~b", "~a"});
}

TEST_CASE("container: a plugin is served when the one before it is up, and not sooner") {
    World w;
    Callback<void(Result<void>)> pending;
    w.acts.serve["a"] = [&pending](Callback<void(Result<void>)> served) {
        pending = std::move(served);
    };
    (void)w.container->Init(*w.config);
    w.container->Start([&w](Result<void>) { w.started = true; });
    w.main.RunUntil([&pending] { return static_cast<bool>(pending); });
    REQUIRE(w.acts.calls.back() == "serve a");
    pending({});
    REQUIRE(w.main.RunUntil([&w] { return w.started; }));
    REQUIRE(w.acts.calls.back() == "serve c");
    w.Stop();
}

TEST_CASE("container: every drain has begun before the first stop, which waits for all") {
    World w;
    std::vector<Callback<void()>> pending;
    for (const char* name : {"a", "c"}) {
        w.acts.drain[name] = [&pending](Callback<void()> done) {
            pending.push_back(std::move(done));
        };
    }
    REQUIRE(w.Start());
    REQUIRE_FALSE(w.container->draining());
    bool stopped = false;
    w.container->Stop(30s, [&stopped](ServerContainer::Outcome) { stopped = true; });
    REQUIRE(w.container->draining());
    w.main.RunUntil([&pending] { return pending.size() == 2; });
    REQUIRE(w.acts.calls.back() == "drain c");
    pending[0]();
    pending[1]();
    REQUIRE(w.main.RunUntil([&stopped] { return stopped; }));
    REQUIRE(w.acts.calls.back() == "stop a");
}

TEST_CASE("container: the deadline ends a drain, and what was lost is told") {
    World w;
    Callback<void()> never;
    w.acts.drain["b"] = [&never](Callback<void()> done) { never = std::move(done); };
    REQUIRE(w.Start());
    auto outcome = w.Stop(20ms);
    REQUIRE(outcome.lost);
    REQUIRE_FALSE(outcome.abandoned);
    REQUIRE(w.acts.calls.back() == "stop a");
    never();  // late: changes nothing
    w.main.RunUntil([] { return true; });
}

TEST_CASE("container: a plugin that never stops does not hold up the others") {
    World w;
    Callback<void()> never;
    w.acts.stop["b"] = [&never](Callback<void()> done) { never = std::move(done); };
    REQUIRE(w.Start());
    auto outcome = w.Stop(1ms);
    REQUIRE(outcome.lost);
    REQUIRE(outcome.abandoned);
    REQUIRE(w.acts.calls.back() == "stop a");
}

TEST_CASE("container: a disabled plugin disables those that need it") {
    World w("c: {x: 1}\n");
    w.acts.init["a"] = [](Container&) { return false; };
    REQUIRE(w.Start());
    REQUIRE(w.container->Running().empty());
    REQUIRE(w.acts.calls == Words{"init a"});
    // Only for the section that the user wrote it is worth a warning.
    REQUIRE(w.config->warnings() ==
            Words{".rr.yaml:2: c: has no effect, because b does not run: is its section missing?"});
    w.Stop();
}

TEST_CASE("container: problems of every Init come together; dependants are passed over") {
    World w;
    w.acts.init["b"] = [](Container&) -> Result<bool> { return Fail(Errc::kConfig, "wrong"); };
    auto problems = w.container->Init(*w.config);
    REQUIRE(problems == Words{"b: wrong"});
    REQUIRE(w.acts.calls == Words{"init a", "init b"});
    REQUIRE(w.container->Running() == std::vector<std::string_view>{"a"});
}

TEST_CASE("container: a start that fails stops what was up, the failed one included") {
    World w;
    w.acts.serve["b"] = [](Callback<void(Result<void>)> served) {
        served(Fail(Errc::kIo, "no socket"));
    };
    REQUIRE(w.Start());
    REQUIRE(w.start_error == "b: no socket");
    w.Stop();
    w.acts.calls.erase(w.acts.calls.begin(), w.acts.calls.begin() + 3);
    REQUIRE(w.acts.calls == Words{"serve a", "serve b", "drain a", "stop b", "stop a"});
}

TEST_CASE("container: a stop during the start waits for the plugin that is being served") {
    World w;
    Callback<void(Result<void>)> pending;
    w.acts.serve["b"] = [&pending](Callback<void(Result<void>)> served) {
        pending = std::move(served);
    };
    (void)w.container->Init(*w.config);
    w.container->Start([&w](Result<void>) { w.started = true; });
    w.main.RunUntil([&pending] { return static_cast<bool>(pending); });
    bool stopped = false;
    w.container->Stop(30s, [&stopped](ServerContainer::Outcome) { stopped = true; });
    pending({});
    REQUIRE(w.main.RunUntil([&stopped] { return stopped; }));
    REQUIRE_FALSE(w.started);
    REQUIRE(w.acts.calls.back() == "stop a");
    REQUIRE(std::count(w.acts.calls.begin(), w.acts.calls.end(), "serve c") == 0);
}

TEST_CASE("container: what is published is found by its type, in plugin order") {
    struct Thing {
        int number;
    };
    static Thing one{1};
    static Thing two{2};
    World w;
    w.acts.init["a"] = [](Container& c) {
        c.Publish(one);
        return true;
    };
    w.acts.init["b"] = [](Container& c) {
        c.Publish(two);
        return c.Get<Thing>() == &one;
    };
    (void)w.container->Init(*w.config);
    REQUIRE(w.container->Each<Thing>() == std::vector<Thing*>{&one, &two});
    REQUIRE(w.container->Get<int>() == nullptr);
    REQUIRE(w.container->Running().size() == 3);
}

TEST_CASE("container: a failure and a stop request reach the program, from any thread") {
    World w;
    std::string failure;
    bool requested = false;
    w.container->OnFail([&failure](const std::string& plugin, const Error& error) {
        failure = plugin + ": " + error.message;
    });
    w.container->OnStopRequest([&requested] { requested = true; });
    REQUIRE(w.Start());
    ServerContainer* container = w.container.get();
    container->DataLoop(0).Post([container] {
        container->Fail("http", Error(Errc::kIo, "gone"));
        container->RequestStop();
    });
    REQUIRE(w.main.RunUntil([&requested] { return requested; }));
    REQUIRE(failure == "http: gone");
    w.Stop();
}

TEST_CASE("container: phases are told to whoever subscribed") {
    World w;
    std::vector<ServerPhase> phases;
    w.container->Events().server.Subscribe(
        [&phases](const ServerEvent& e) { phases.push_back(e.phase); });
    REQUIRE(w.Start());
    w.Stop();
    REQUIRE(phases == std::vector<ServerPhase>{ServerPhase::kStarting, ServerPhase::kStarted,
                                               ServerPhase::kStopping});
}
