#include "cmd/rr/workers_view.hpp"

#include <catch2/catch.hpp>

#include "cmd/rr/cells.hpp"

using namespace rr;
using namespace rr::cmd;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

GroupView Http() {
    GroupView group;
    group.plugin = "http";
    group.detailed = true;
    group.queued = 2;
    group.generation = 3;
    WorkerView one;
    one.pid = 28649;
    one.status = 2;
    one.word = "working";
    one.execs = 1234;
    one.created_unix_ns = 100 * kSecond;
    one.memory = 29'000'000;
    one.cpu_percent = 1.17;
    one.task = "GET /reports/2026/november?page=7&per_page=100&sort=name";
    one.task_ns = 12 * kSecond;
    group.workers = {one};
    return group;
}

ViewStyle At(size_t columns, bool tasks = false) {
    ViewStyle style;
    style.columns = columns;
    style.tasks = tasks;
    style.now_unix_ns = 102 * kSecond;
    return style;
}

std::string Text(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

bool Has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

void RequireNarrow(const std::vector<std::string>& lines, size_t columns) {
    for (const std::string& line : lines) {
        INFO(line);
        REQUIRE(DisplayWidth(line) <= columns);
    }
}

}  // namespace

TEST_CASE("workers_view: once, it is RoadRunner's table") {
    GroupView group = Http();
    group.queued = 0;
    auto lines = WorkerLines({group}, At(0));
    REQUIRE(lines.size() == 6);
    REQUIRE(lines[0] == "Workers of [http]:");
    REQUIRE(lines[2] == "│  PID  │ STATUS  │ EXECS │ MEMORY │ CPU % │    CREATED    │");
    REQUIRE(lines[4] == "│ 28649 │ working │ 1,234 │ 29 MB  │ 1.17  │ 2 seconds ago │");
}

TEST_CASE("workers_view: once, what waits and what is being reset stands in lines of its own") {
    GroupView group = Http();
    group.resetting = true;
    group.boot_error = "exit code 3\noutput: no";
    std::string text = Text(WorkerLines({group}, At(0)));
    REQUIRE(Has(text, "resetting: new workers of http are starting\n"));
    REQUIRE(Has(text, "2 waiting for a worker of http\n"));
    REQUIRE(Has(text, "the last start of a worker failed: exit code 3 output: no\n"));
}

TEST_CASE("workers_view: a picture says in its title what waits and what is being reset") {
    GroupView group = Http();
    group.resetting = true;
    auto lines = WorkerLines({group}, At(80));
    REQUIRE(lines[0] ==
            "Workers of [http]: 1 worker, 1 working, 2 waiting, resetting, generation 3");
    RequireNarrow(lines, 80);
}

TEST_CASE("workers_view: with tasks, all of it fits into 80 columns") {
    auto lines = WorkerLines({Http()}, At(80, true));
    RequireNarrow(lines, 80);
    std::string text = Text(lines);
    REQUIRE(Has(text, "TASK"));
    REQUIRE(Has(text, "12.0s GET /reports/2026"));
    REQUIRE(Has(text, "…"));
}

TEST_CASE("workers_view: a narrow terminal keeps pid and status, and tasks if they are wanted") {
    for (bool tasks : {false, true}) {
        auto lines = WorkerLines({Http()}, At(40, tasks));
        RequireNarrow(lines, 40);
        std::string text = Text(lines);
        REQUIRE(Has(text, "28649"));
        REQUIRE(Has(text, "working"));
        REQUIRE(Has(text, "2 waiting"));
        REQUIRE(Has(text, "12.0s GET") == tasks);
    }
}

TEST_CASE("workers_view: processes without a protocol have their command") {
    GroupView group;
    group.plugin = "service";
    WorkerView worker;
    worker.pid = 5;
    worker.status = 1;
    worker.command = "/usr/bin/sleep 100";
    group.workers = {worker};
    auto lines = WorkerLines({group}, At(0));
    REQUIRE(lines[0] == "Workers of [service]:");
    REQUIRE(lines[2] == "│ PID │ MEMORY │ CPU % │      COMMAND       │");
    RequireNarrow(WorkerLines({group}, At(30)), 30);
}

TEST_CASE("workers_view: a plugin that cannot be asked has RoadRunner's row of errors") {
    GroupView group;
    group.plugin = "http";
    group.error = "http is not serving";
    std::string text = Text(WorkerLines({group}, At(0)));
    REQUIRE(Has(text, "failed to receive"));
    REQUIRE(Has(text, "│ ERROR │"));
    REQUIRE_FALSE(Has(text, "Workers of"));
}

TEST_CASE("workers_view: without workers nothing is printed, a picture says so") {
    GroupView group;
    group.plugin = "http";
    group.detailed = true;
    group.debug = true;
    REQUIRE(WorkerLines({group}, At(0)).empty());
    REQUIRE(WorkerLines({group}, At(80)) ==
            std::vector<std::string>{"Workers of [http]: 0 workers, 0 working, 0 waiting, debug"});
}

TEST_CASE("workers_view: 1.x's table has no title") {
    ViewStyle style = At(0);
    style.legacy = true;
    GroupView group = Http();
    group.queued = 0;
    auto lines = WorkerLines({group}, style);
    REQUIRE(lines.size() == 5);
    REQUIRE(lines[3] == "|   28649 | working   |   1,234 | 29 MB   | 2 seconds ago      |");
}

TEST_CASE("workers_view: what a client put into a path cannot reach the terminal") {
    GroupView group = Http();
    group.workers[0].task = "GET /\x1b]0;evil\x07";
    REQUIRE_FALSE(Has(Text(WorkerLines({group}, At(80, true))), "\x1b"));
}
