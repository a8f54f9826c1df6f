#include "plugins/hooks/variables.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::hooks;

TEST_CASE("hooks: every event has its name") {
    REQUIRE(NameOf(KindOf(ServerEvent{ServerPhase::kStopping})) == "server_stopping");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kSpawned})) == "worker_spawned");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kReady})) == "worker_ready");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kStopped})) == "worker_stopped");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kExited})) == "worker_exited");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kFailed})) == "worker_failed");
    REQUIRE(NameOf(KindOf(WorkerEvent{.change = WorkerChange::kRecycled})) == "worker_recycled");
    REQUIRE(NameOf(KindOf(ResetEvent{.phase = ResetPhase::kFailed})) == "reset_failed");
    REQUIRE(NameOf(KindOf(RequestEvent{.phase = RequestPhase::kFinished})) == "request_finished");
    REQUIRE(NameOf(KindOf(ConnectionEvent{.phase = ConnectionPhase::kClosed})) ==
            "connection_closed");
}

TEST_CASE("hooks: a worker event says what it knows and nothing else") {
    REQUIRE(
        Describe(WorkerEvent{
            .change = WorkerChange::kExited, .pool = "http", .pid = 42, .signal = 9, .execs = 7}) ==
        Variables{{"RR_EVENT", "worker_exited"},
                  {"RR_EVENT_POOL", "http"},
                  {"RR_EVENT_PID", "42"},
                  {"RR_EVENT_SIGNAL", "9"},
                  {"RR_EVENT_EXECS", "7"}});
    REQUIRE(Describe(WorkerEvent{.change = WorkerChange::kFailed,
                                 .pool = "http",
                                 .exit_code = 1,
                                 .reason = "no",
                                 .output = "text",
                                 .command = "php w.php"}) ==
            Variables{{"RR_EVENT", "worker_failed"},
                      {"RR_EVENT_POOL", "http"},
                      {"RR_EVENT_EXIT_CODE", "1"},
                      {"RR_EVENT_REASON", "no"},
                      {"RR_EVENT_COMMAND", "php w.php"},
                      {"RR_EVENT_OUTPUT", "text"}});
}

TEST_CASE("hooks: requests, resets and connections") {
    REQUIRE(Describe(RequestEvent{.phase = RequestPhase::kFinished,
                                  .plugin = "http",
                                  .method = "GET",
                                  .uri = "/a?b",
                                  .remote_address = "127.0.0.1:1",
                                  .status = 200,
                                  .elapsed_ns = 2500000,
                                  .read_bytes = 1,
                                  .write_bytes = 2}) ==
            Variables{{"RR_EVENT", "request_finished"},
                      {"RR_EVENT_PLUGIN", "http"},
                      {"RR_EVENT_METHOD", "GET"},
                      {"RR_EVENT_URI", "/a?b"},
                      {"RR_EVENT_REMOTE_ADDRESS", "127.0.0.1:1"},
                      {"RR_EVENT_STATUS", "200"},
                      {"RR_EVENT_ELAPSED_MS", "2"},
                      {"RR_EVENT_READ_BYTES", "1"},
                      {"RR_EVENT_WRITE_BYTES", "2"}});
    REQUIRE(
        Describe(ResetEvent{.phase = ResetPhase::kDone, .pool = "http", .elapsed_ns = 3000000}) ==
        Variables{
            {"RR_EVENT", "reset_done"}, {"RR_EVENT_POOL", "http"}, {"RR_EVENT_ELAPSED_MS", "3"}});
    REQUIRE(Describe(ConnectionEvent{.phase = ConnectionPhase::kOpened, .plugin = "http"}) ==
            Variables{{"RR_EVENT", "connection_opened"}, {"RR_EVENT_PLUGIN", "http"}});
}

TEST_CASE("hooks: a value that no variable can hold is made to fit") {
    const std::string output = std::string("a\0b", 3) + std::string(10000, 'x');
    const auto variables = Describe(WorkerEvent{.change = WorkerChange::kFailed, .output = output});
    REQUIRE(variables.back().first == "RR_EVENT_OUTPUT");
    REQUIRE(variables.back().second.size() == 8192);
    REQUIRE(variables.back().second.substr(0, 4) == "a bx");
}
