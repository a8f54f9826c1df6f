#include "plugins/logger/records.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::logger;

namespace {

class Recorder final : public log::Channel {
public:
    explicit Recorder(log::Level level = log::Level::kDebug) { SetLevel(level); }
    void Write(log::Level level, std::string_view message, const log::Field* fields,
               size_t count) override {
        std::string text = std::vector<std::string>{"D ", "I ", "W ", "E "}[size_t(level)];
        text += message;
        for (size_t i = 0; i < count; ++i) {
            text.append(" ").append(fields[i].key).append("=");
            if (const auto* word = std::get_if<std::string_view>(&fields[i].value)) {
                text += *word;
            } else if (const auto* number = std::get_if<int64_t>(&fields[i].value)) {
                text += std::to_string(*number);
            } else if (const auto* natural = std::get_if<uint64_t>(&fields[i].value)) {
                text += std::to_string(*natural);
            }
        }
        records.push_back(std::move(text));
    }
    std::vector<std::string> records;
};

WorkerEvent Failed(std::string_view reason, int exit_code) {
    return {.change = WorkerChange::kFailed,
            .pool = "http",
            .exit_code = exit_code,
            .reason = reason,
            .output = "Could not open input file: worker.php\n",
            .command = "php worker.php"};
}

}  // namespace

TEST_CASE("logger: the life of a worker at debug, with RoadRunner's event names") {
    Recorder recorder;
    Records records{log::Logger(&recorder)};
    records.Write(WorkerEvent{.change = WorkerChange::kSpawned, .pool = "http", .pid = 7});
    records.Write(WorkerEvent{.change = WorkerChange::kReady, .pool = "http", .pid = 7});
    records.Write(
        WorkerEvent{.change = WorkerChange::kStopped, .pool = "http", .pid = 7, .execs = 3});
    records.Write(
        WorkerEvent{.change = WorkerChange::kExited, .pool = "http", .pid = 8, .signal = 9});
    records.Write(
        WorkerEvent{.change = WorkerChange::kExited, .pool = "http", .pid = 9, .exit_code = 0});
    REQUIRE(
        recorder.records ==
        std::vector<std::string>{
            "D worker is allocated pid=7 pool=http internal_event_name=EventWorkerConstruct",
            "D worker is ready pid=7 pool=http",
            "D worker destroyed pid=7 pool=http execs=3 internal_event_name=EventWorkerDestruct",
            "D worker stopped pid=8 pool=http execs=0 signal=9 "
            "internal_event_name=EventWorkerWaitExit",
            "D worker stopped pid=9 pool=http execs=0 exit_code=0 "
            "internal_event_name=EventWorkerWaitExit"});
}

TEST_CASE("logger: a failing start is one error per kind, with code, command and output") {
    Recorder recorder(log::Level::kInfo);
    Records records{log::Logger(&recorder)};
    records.Write(Failed("the process ended before it was ready", 1));
    records.Write(Failed("the process ended before it was ready", 1));
    records.Write(Failed("the process ended before it was ready", 1));
    REQUIRE(recorder.records ==
            std::vector<std::string>{"E failed to allocate a worker pool=http "
                                     "error=the process ended before it was ready exit_code=1 "
                                     "command=php worker.php "
                                     "output=Could not open input file: worker.php\n "
                                     "internal_event_name=EventWorkerError"});
    records.Write(Failed("the process ended before it was ready", 255));
    REQUIRE(recorder.records.size() == 2);
    records.Write(WorkerEvent{.change = WorkerChange::kReady, .pool = "http", .pid = 7});
    REQUIRE(recorder.records.back() == "I workers start again pid=7 pool=http failed_attempts=4");
    records.Write(Failed("the process ended before it was ready", 255));
    REQUIRE(recorder.records.size() == 4);
}

TEST_CASE("logger: why a worker is replaced is a warning if something is wrong") {
    Recorder recorder;
    Records records{log::Logger(&recorder)};
    const auto recycled = [&](std::string_view reason) {
        records.Write(WorkerEvent{
            .change = WorkerChange::kRecycled, .pool = "http", .pid = 7, .reason = reason});
        return recorder.records.back();
    };
    REQUIRE(recycled("max_jobs") ==
            "D worker will be replaced pid=7 pool=http reason=max_jobs execs=0 "
            "internal_event_name=EventWorkerStopped");
    REQUIRE(recycled("exec_ttl").starts_with("W "));
    REQUIRE(recycled("protocol").starts_with("W "));
    REQUIRE(recycled("max_worker_memory").ends_with("=EventMaxMemory"));
    REQUIRE(recycled("max_worker_memory").starts_with("W "));
    REQUIRE(recycled("idle_ttl").starts_with("D "));
    REQUIRE(recycled("closing").starts_with("D worker will be stopped pid=7"));
    REQUIRE(recycled("something new").find("reason=something new") != std::string::npos);
}

TEST_CASE("logger: resets and the phases of the server") {
    Recorder recorder;
    Records records{log::Logger(&recorder)};
    records.Write(ServerEvent{ServerPhase::kStarting});
    records.Write(ServerEvent{ServerPhase::kStopping});
    records.Write(ResetEvent{.phase = ResetPhase::kBegun, .pool = "http"});
    records.Write(ResetEvent{.phase = ResetPhase::kDone, .pool = "http", .elapsed_ns = 12000000});
    records.Write(ResetEvent{
        .phase = ResetPhase::kFailed, .pool = "http", .elapsed_ns = 1000000, .reason = "no"});
    REQUIRE(recorder.records ==
            std::vector<std::string>{
                "D server is starting", "I server is stopping", "I reset begun pool=http",
                "I reset done pool=http elapsed_ms=12",
                "E reset failed, the old workers stay pool=http elapsed_ms=1 error=no"});
}
