// Services with real processes.
#include "plugins/service/supervisor.hpp"

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::service;
using namespace std::chrono_literals;

namespace {

class Recorder final : public log::Channel {
public:
    Recorder() { SetLevel(log::Level::kDebug); }
    void Write(log::Level level, std::string_view message, const log::Field* fields,
               size_t count) override {
        std::string text(1, "DIWE"[static_cast<int>(level)]);
        text.append(" ").append(message);
        for (size_t i = 0; i < count; ++i) {
            text.append(" ").append(fields[i].key).append("=");
            if (const auto* word = std::get_if<std::string_view>(&fields[i].value)) {
                text += *word;
            } else if (const auto* number = std::get_if<int64_t>(&fields[i].value)) {
                text += fields[i].key == "pid" ? "PID" : std::to_string(*number);
            }
        }
        records.push_back(std::move(text));
    }
    size_t Count(const std::string& begin) const {
        size_t count = 0;
        for (const std::string& record : records) {
            count += record.starts_with(begin) ? 1 : 0;
        }
        return count;
    }
    std::vector<std::string> records;
};

ServiceConfig Make(const std::string& name, const std::string& script) {
    ServiceConfig config;
    config.name = name;
    config.command = {"sh", "-c", script};
    return config;
}

class Server {
public:
    Server()
        : spawner(pool::Spawner::Make(main)),
          supervisor(main, *spawner, {}, [this](std::string_view name) {
              channels.emplace_back(name);
              return log::Logger(&recorder);
          }) {}
    ~Server() { Stop(); }

    void Stop(Duration limit = 10s) {
        bool done = false;
        supervisor.Stop(Clock::now() + limit, [&] { done = true; });
        REQUIRE_FALSE(done);
        REQUIRE(Until([&] { return done; }));
    }
    bool Until(Callback<bool()> holds) { return main.RunUntil(holds); }
    std::string Wait(const std::optional<Result<void>>& result) {
        REQUIRE(Until([&] { return result.has_value(); }));
        return *result ? "ok" : result->error().message;
    }
    std::string Create(ServiceConfig config) {
        std::optional<Result<void>> result;
        supervisor.Create(std::move(config), [&](Result<void> r) { result = std::move(r); });
        return Wait(result);
    }
    std::string Terminate(const std::string& name) {
        std::optional<Result<void>> result;
        supervisor.Terminate(name, [&](Result<void> r) { result = std::move(r); });
        return Wait(result);
    }
    std::string Restart(const std::string& name) {
        std::optional<Result<void>> result;
        supervisor.RestartOne(name, [&](Result<void> r) { result = std::move(r); });
        return Wait(result);
    }
    std::vector<ProcessStatus> Status(const std::string& name) {
        auto status = supervisor.StatusOf(name);
        REQUIRE(status);
        return *status;
    }
    GroupStatus Group() {
        std::optional<GroupStatus> status;
        supervisor.Status([&](Result<GroupStatus> s) { status = std::move(*s); });
        REQUIRE(Until([&] { return status.has_value(); }));
        return *status;
    }

    Loop main{"main"};
    Recorder recorder;
    std::vector<std::string> channels;
    std::unique_ptr<pool::Spawner> spawner;
    Supervisor supervisor;
};

bool Exists(int64_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const size_t end = text.rfind(')');
    return end != std::string::npos && text[end + 2] != 'Z';
}

}  // namespace

TEST_CASE("service: what a process says is logged, its environment is the service's") {
    Server server;
    ServiceConfig config = Make("a", "echo out $GREETING $TWICE; echo err >&2; cat; echo end");
    config.env = {{"greeting", "hello"}, {"twice", "$GREETING-${GREETING}"}};
    server.supervisor.Start({config});
    REQUIRE(server.Until([&] { return server.recorder.Count("I service ended") == 1; }));
    REQUIRE(server.recorder.Count("I out hello hello-hello") == 1);
    REQUIRE(server.recorder.Count("I err") == 1);
    REQUIRE(server.recorder.Count("I end") == 1);
    REQUIRE(server.recorder.Count("E") == 0);
    REQUIRE(server.channels == std::vector<std::string>{"service"});
}

TEST_CASE("service: its own channel, if it wants") {
    Server server;
    ServiceConfig config = Make("a", "true");
    config.service_name_in_log = true;
    server.supervisor.Start({config});
    REQUIRE(server.channels == std::vector<std::string>{"service.a"});
}

TEST_CASE("service: an exit code is an error that names service, command and code") {
    Server server;
    server.supervisor.Start({Make("a", "exit 3"), Make("b", "kill -9 $$")});
    REQUIRE(server.Until([&] { return server.recorder.Count("E") == 2; }));
    REQUIRE(server.recorder.Count("E service ended with an error service=a command=") == 1);
    REQUIRE(server.recorder.Count("E service was ended by a signal service=b command=") == 1);
    for (const std::string& record : server.recorder.records) {
        if (record.starts_with("E service ended")) {
            REQUIRE(record.find("sh -c exit 3 pid=PID exit_code=3 next=none, remain_after_exit") !=
                    std::string::npos);
        }
    }
}

TEST_CASE("service: a missing command names the service and what comes next") {
    Server server;
    ServiceConfig config = Make("a", "");
    config.command = {"no-such-command-at-all", "x"};
    server.supervisor.Start({config});
    REQUIRE(server.Until([&] { return server.recorder.Count("E") == 1; }));
    REQUIRE(server.recorder.records[0] ==
            "E service cannot be started service=a command=no-such-command-at-all x "
            "error=exec: \"no-such-command-at-all\": executable file not found in $PATH "
            "next=none, remain_after_exit is false; `rr reset service` starts it again");
    const auto status = server.Status("a");
    REQUIRE(status.size() == 1);
    REQUIRE_FALSE(status[0].alive);
    REQUIRE(status[0].pid == 0);
    REQUIRE(status[0].problem.find("executable file not found") != std::string::npos);
}

TEST_CASE("service: with remain_after_exit it starts again after any end, missing or not") {
    Server server;
    ServiceConfig good = Make("a", "echo run");
    good.remain_after_exit = true;
    good.restart = 10ms;
    ServiceConfig missing = good;
    missing.name = "b";
    missing.command = {"no-such-command-at-all"};
    server.supervisor.Start({good, missing});
    REQUIRE(server.Until([&] {
        return server.recorder.Count("I run") >= 3 &&
               server.recorder.Count("E service cannot be started service=b") >= 3;
    }));
    REQUIRE(server.recorder.Count("I service ended service=a pid=PID next=another start in 10ms") >=
            2);
    server.Stop();
    const size_t runs = server.recorder.Count("I service was started");
    REQUIRE_FALSE(server.main.RunUntil([] { return false; }, 50ms));
    REQUIRE(server.recorder.Count("I service was started") == runs);
}

TEST_CASE("service: a stop is SIGINT to the whole group, then SIGKILL") {
    Server server;
    ServiceConfig polite =
        Make("polite", "trap 'echo bye; exit 0' INT; echo up; while :; do sleep 0.01; done");
    polite.timeout_stop = 1h;
    ServiceConfig deaf = Make("deaf", "trap '' INT; echo up; while :; do sleep 0.01; done");
    deaf.timeout_stop = 200ms;
    REQUIRE(server.Create(polite) == "ok");
    REQUIRE(server.Create(deaf) == "ok");
    REQUIRE(server.Until([&] { return server.recorder.Count("I up") == 2; }));
    const int64_t pid = server.Status("deaf")[0].pid;
    REQUIRE(Exists(pid));
    REQUIRE(server.Terminate("polite") == "ok");
    REQUIRE(server.recorder.Count("I bye") == 1);
    REQUIRE(server.recorder.Count("W") == 0);
    REQUIRE(server.Terminate("deaf") == "ok");
    REQUIRE(server.recorder.Count("W service does not end on SIGINT and is killed service=deaf") ==
            1);
    REQUIRE(server.recorder.Count("I service was stopped") == 2);
    REQUIRE(server.recorder.Count("E") == 0);
    REQUIRE_FALSE(Exists(pid));
    REQUIRE(server.supervisor.Names().empty());
}

TEST_CASE("service: what a process leaves behind in its group goes with it") {
    Server server;
    ServiceConfig config = Make("a", "trap '' INT; sleep 1000 & echo $!; exit 0");
    config.remain_after_exit = true;
    config.restart = 20ms;
    server.supervisor.Start({config});
    REQUIRE(server.Until([&] { return server.recorder.Count("I service ended") >= 2; }));
    std::vector<int64_t> left;
    for (const std::string& record : server.recorder.records) {
        if (record.starts_with("I ") &&
            record.find_first_not_of("0123456789", 2) == std::string::npos) {
            left.push_back(std::stoll(record.substr(2)));
        }
    }
    REQUIRE(left.size() >= 2);
    server.Stop();
    REQUIRE(server.Until([&] {
        for (int64_t pid : left) {
            if (Exists(pid)) {
                return false;
            }
        }
        return true;
    }));
}

TEST_CASE("service: exec_timeout kills, and says so") {
    Server server;
    ServiceConfig config = Make("a", "exec sleep 1000");
    config.exec_timeout = 30ms;
    server.supervisor.Start({config});
    REQUIRE(server.Until([&] { return server.recorder.Count("E") == 1; }));
    REQUIRE(server.recorder.Count("E service ran longer than exec_timeout and was killed "
                                  "service=a") == 1);
}

TEST_CASE("service: a restart ends the old processes before the new ones start") {
    Server server;
    ServiceConfig config = Make("a", "exec sleep 1000");
    config.process_num = 3;
    REQUIRE(server.Create(config) == "ok");
    const auto before = server.Status("a");
    REQUIRE(server.Restart("a") == "ok");
    const auto after = server.Status("a");
    REQUIRE(after.size() == 3);
    for (size_t i = 0; i < 3; ++i) {
        REQUIRE(after[i].alive);
        REQUIRE(after[i].pid != before[i].pid);
        REQUIRE_FALSE(Exists(before[i].pid));
    }
}

TEST_CASE("service: many restarts at once make no double processes, and all are answered") {
    Server server;
    REQUIRE(server.Create(Make("a", "exec sleep 1000")) == "ok");
    int answered = 0;
    for (int i = 0; i < 20; ++i) {
        server.supervisor.RestartOne("a", [&](const Result<void>& r) { answered += r ? 1 : 0; });
        server.main.RunUntil([n = 0, i]() mutable { return ++n > i % 4; });
    }
    REQUIRE(server.Until([&] { return answered == 20; }));
    REQUIRE(server.recorder.Count("I service was started") ==
            server.recorder.Count("I service was stopped") + 1);
    REQUIRE(server.Group().workers.size() == 1);
}

TEST_CASE("service: a termination while it starts or restarts leaves nothing") {
    Server server;
    int answered = 0;
    server.supervisor.Create(Make("a", "exec sleep 1000"),
                             [&](const Result<void>&) { ++answered; });
    server.supervisor.RestartOne("a", [&](const Result<void>& r) {
        REQUIRE_FALSE(r);
        ++answered;
    });
    server.supervisor.Terminate("a", [&](const Result<void>& r) {
        REQUIRE(r);
        ++answered;
    });
    server.supervisor.Terminate("a", [&](const Result<void>& r) {
        REQUIRE(r);
        ++answered;
    });
    REQUIRE(server.Until([&] { return answered == 4; }));
    REQUIRE(server.supervisor.Names().empty());
    REQUIRE(server.Terminate("a") == "the service with a name doesn't exist");
    REQUIRE(server.Group().workers.empty());
}

TEST_CASE("service: RoadRunner's words for what cannot be done") {
    Server server;
    REQUIRE(server.Create(Make("a", "exec sleep 1000")) == "ok");
    REQUIRE(server.Create(Make("a", "exec sleep 1000")) ==
            "the service with a name already exists");
    ServiceConfig none = Make("b", "true");
    none.process_num = 0;
    REQUIRE(server.Create(none) == "the service with b name should have at least 1 process");
    none.process_num = 1'000'000;
    REQUIRE(server.Create(none) == "the service with b name should have at most 1024 processes");
    none.process_num = 1;
    none.command.clear();
    REQUIRE(server.Create(none) == "the service with b name should have a command");
    REQUIRE(server.Restart("b") == "the service with b name doesn't exist");
    REQUIRE(server.Terminate("b") == "the service with b name doesn't exist");
    REQUIRE_FALSE(server.supervisor.StatusOf("b"));
    none.command = {"no-such-command-at-all"};
    none.process_num = 2;
    REQUIRE(server.Create(none) ==
            "exec: \"no-such-command-at-all\": executable file not found in $PATH");
    none.command = {"true"};
    none.user = "no-such-user";
    REQUIRE(server.Create(none) == "service.b.user: no user is named no-such-user");
    REQUIRE(server.supervisor.Names() == std::vector<std::string>{"a"});
}

TEST_CASE("service: the group lists who lives; a dead one hides nobody") {
    Server server;
    REQUIRE(server.Create(Make("short", "true")) == "ok");
    REQUIRE(server.Create(Make("long", "exec sleep 1000")) == "ok");
    REQUIRE(server.Until([&] { return server.recorder.Count("I service ended") == 1; }));
    // In the middle of an exec a process has no memory.
    GroupStatus group;
    REQUIRE(server.Until([&] {
        group = server.Group();
        return !group.workers.empty() && group.workers[0].memory_bytes > 0;
    }));
    REQUIRE(group.workers.size() == 1);
    const WorkerInfo& info = group.workers[0];
    REQUIRE(info.plain);
    REQUIRE(info.pid == server.Status("long")[0].pid);
    REQUIRE(info.command.ends_with("/sh -c exec sleep 1000"));
    const ProcessStatus dead = server.Status("short")[0];
    REQUIRE_FALSE(dead.alive);
    REQUIRE(dead.problem == "process_state: open /proc/" + std::to_string(dead.pid) +
                                "/statm: no such file or directory");
    REQUIRE(server.supervisor.pulse() == nullptr);
    REQUIRE_FALSE(server.supervisor.resizable());
    std::optional<Result<void>> result;
    server.supervisor.AddWorker([&](Result<void> r) { result = std::move(r); });
    REQUIRE(server.Wait(result) == "plugin service does not support workers management");
}

TEST_CASE("service: a reset restarts all, and says what did not start") {
    Server server;
    server.supervisor.Start({Make("a", "exec sleep 1000"), Make("b", "true")});
    REQUIRE(server.Until([&] { return server.recorder.Count("I service ended") == 1; }));
    std::optional<Result<void>> result;
    server.supervisor.Reset([&](Result<void> r) { result = std::move(r); });
    REQUIRE(server.Wait(result) == "ok");
    REQUIRE(server.recorder.Count("I service was started") == 4);
    REQUIRE(server.Group().generation == 1);

    Server empty;
    result.reset();
    empty.supervisor.Reset([&](Result<void> r) { result = std::move(r); });
    REQUIRE(empty.Wait(result) == "ok");

    Server broken;
    ServiceConfig missing = Make("m", "");
    missing.command = {"no-such-command-at-all"};
    broken.supervisor.Start({missing});
    result.reset();
    broken.supervisor.Reset([&](Result<void> r) { result = std::move(r); });
    REQUIRE(broken.Wait(result).starts_with("m: exec: \"no-such-command-at-all\""));
}

TEST_CASE("service: the end of the server waits for all side by side, at most to its deadline") {
    Server server;
    for (const char* name : {"a", "b", "c"}) {
        ServiceConfig deaf = Make(name, "trap '' INT; echo up; while :; do sleep 0.05; done");
        deaf.timeout_stop = 1h;  // the deadline is nearer
        REQUIRE(server.Create(deaf) == "ok");
    }
    REQUIRE(server.Until([&] { return server.recorder.Count("I up") == 3; }));
    server.Stop(0s);  // 500 ms for the last words
    REQUIRE(server.Group().workers.empty());
    REQUIRE(server.recorder.Count("W service does not end") == 3);
    REQUIRE(server.Create(Make("d", "true")) == "the server is stopping");
}
