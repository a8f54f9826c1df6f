// The pool with real processes (test_worker.cpp) on a real loop.
#include "core/pool/pool.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include <catch2/catch.hpp>

#include "core/pool/group.hpp"
#include "core/pool/pool_for_test.hpp"
#include "relay/socket_hub.hpp"

namespace rr::pool {
namespace {

int ConnectTo(const net::Address& address) {
    int fd;
    int status;
    if (address.kind == net::Address::Kind::kUnix) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        address.path.copy(to.sun_path, sizeof(to.sun_path) - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        status = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
    } else {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(address.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        status = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
    }
    REQUIRE(status == 0);
    return fd;
}

}  // namespace

TEST_CASE("pool: answers, one worker after the other, newest idle first") {
    Fixture f;
    REQUIRE(f.Open());
    REQUIRE(f.Ask("echo hello") == "hello");
    std::string pid = f.Ask("pid");
    REQUIRE(f.Ask("pid") == pid);
    REQUIRE(f.pool->Status().workers.size() == 2);
}

TEST_CASE("pool: the pulse tells how things stand") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 2;
        c.max_queue_size = 3;
    });
    REQUIRE(f.Open());
    REQUIRE(f.loop.RunUntil([&f] { return f.pulse.ready == 2; }));
    REQUIRE(f.pulse.can_serve);
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 3; ++i) {
        calls.push_back(std::make_unique<Call>("sleep 50 x"));
        f.pool->Exec(calls.back()->job, *calls.back());
    }
    REQUIRE(f.loop.RunUntil([&f] { return f.pulse.working == 2; }));
    REQUIRE(f.pulse.ready == 0);
    REQUIRE(f.pulse.queued == 1);
    REQUIRE_FALSE(f.pulse.can_serve);  // the queue is full
    REQUIRE(f.loop.RunUntil([&calls] {
        return std::all_of(calls.begin(), calls.end(), [](auto& c) { return c->end.has_value(); });
    }));
    REQUIRE(f.loop.RunUntil([&f] { return f.pulse.ready == 2 && f.pulse.can_serve; }));
    REQUIRE(f.pulse.queued == 0);
}

TEST_CASE("pool: the pulse of a debug pool is there before its first worker") {
    Fixture f([](PoolConfig& c) { c.debug = true; });
    REQUIRE(f.Open());
    REQUIRE(f.loop.RunUntil([&f] { return f.pulse.debug && f.pulse.can_serve; }));
    REQUIRE(f.pulse.total == 0);
}

TEST_CASE("pool: a request that comes back from a prefetch counts as queued again") {
    Fixture f(
        [](PoolConfig& c) {
            c.num_workers = 1;
            c.max_queue_size = 2;
        },
        kNumbered);
    REQUIRE(f.Open());
    Call slow("sleep 300 x");
    Call second("echo y");
    second.job.replayable = true;
    f.pool->Exec(slow.job, slow);
    f.pool->Exec(second.job, second);
    REQUIRE(f.loop.RunUntil([&f] { return f.pulse.queued == 1 && !f.pulse.can_serve; }));
    REQUIRE_FALSE(slow.end.has_value());
    REQUIRE(f.loop.RunUntil([&second] { return second.end.has_value(); }));
}

TEST_CASE("pool: the status says what a worker does") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    REQUIRE(f.pool->Status().workers[0].task.empty());
    Call call("sleep 20 x");
    f.pool->Exec(call.job, call);
    WorkerInfo info = f.pool->Status().workers[0];
    REQUIRE(info.state == WorkerState::kWorking);
    REQUIRE(info.task == "a test's call");
    REQUIRE(info.task_ns >= 0);
    REQUIRE(f.loop.RunUntil([&call] { return call.end.has_value(); }));
}

TEST_CASE("pool group: asks a pool, and says so when there is none") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    PoolGroup group("test", f.loop, f.loop, {});
    auto status = [&] {
        std::optional<Result<GroupStatus>> got;
        group.Status([&got](Result<GroupStatus> s) { got = std::move(s); });
        REQUIRE(f.loop.RunUntil([&got] { return got.has_value(); }));
        return std::move(*got);
    };
    auto none = status();
    REQUIRE_FALSE(none);
    REQUIRE(none.error().message == "test is not serving");
    REQUIRE(f.Open());
    group.Attach(*f.pool);
    auto one = status();
    REQUIRE(one);
    REQUIRE(one->workers.size() == 1);
    REQUIRE(one->workers[0].memory_bytes > 0);
    std::optional<Result<void>> added;
    group.AddWorker([&added](Result<void> r) { added = std::move(r); });
    REQUIRE(f.loop.RunUntil([&added] { return added.has_value(); }));
    REQUIRE(*added);
    REQUIRE(status()->workers.size() == 2);
    group.Detach();
}

TEST_CASE("pool: OnDone never comes before Exec returned") {
    Fixture f([](PoolConfig& c) { c.max_queue_size = 1; });
    REQUIRE(f.Open());
    Call first("sleep 20 x");
    Call second("echo y");
    f.pool->Exec(first.job, first);
    f.pool->Exec(second.job, second);
    REQUIRE_FALSE(second.end);
    REQUIRE(f.loop.RunUntil([&] { return first.end && second.end; }));
    REQUIRE(second.end == JobEnd::kQueueFull);
    REQUIRE(first.end == JobEnd::kDone);
}

TEST_CASE("pool: waiting ends after allocate_timeout") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.allocate_timeout = milliseconds(300);
    });
    REQUIRE(f.Open());
    Call stuck("hang");
    Call waiting("echo y");
    f.pool->Exec(stuck.job, stuck);
    f.Run(waiting);
    REQUIRE(waiting.end == JobEnd::kNoWorker);
    f.Shut(milliseconds(50));
}

TEST_CASE("pool: a cancelled request leaves the queue unexecuted, a running one ends") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    Call slow("sleep 50 x");
    Call queued("echo y");
    Ticket running = f.pool->Exec(slow.job, slow);
    Ticket waiting = f.pool->Exec(queued.job, queued);
    f.pool->Cancel(waiting);
    f.pool->Cancel(running);
    REQUIRE(f.loop.RunUntil([&] { return slow.end && queued.end; }));
    REQUIRE(queued.end == JobEnd::kCancelled);
    REQUIRE(slow.end == JobEnd::kCancelled);
    REQUIRE(slow.answer.empty());
    REQUIRE(f.pool->Status().workers[0].execs == 1);
}

TEST_CASE("pool: a dead worker costs a replayable request nothing, any other a clear end") {
    Fixture f;
    REQUIRE(f.Open());
    Call once("exit 3");
    f.Run(once);
    REQUIRE(once.end == JobEnd::kWorkerDied);
    REQUIRE(once.message.find("exited with code 3 before it answered") != std::string::npos);
    Call killed("kill", true);
    f.Run(killed);  // both tries die
    REQUIRE(killed.end == JobEnd::kWorkerDied);
    REQUIRE(killed.message.find("signal 9") != std::string::npos);
    REQUIRE(f.Ask("echo alive") == "alive");
    REQUIRE(f.loop.RunUntil([&] { return f.pulse.ready == 2; }));
}

TEST_CASE("pool: an idle worker that dies is replaced without a request noticing") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    pid_t pid = static_cast<pid_t>(f.pool->Status().workers[0].pid);
    f.spawner->Signal(pid, SIGKILL);
    REQUIRE(f.loop.RunUntil([&] { return f.seen[WorkerChange::kExited] == 1; }));
    REQUIRE(f.Ask("echo a") == "a");
    REQUIRE(f.Ask("pid") != std::to_string(pid));
}

TEST_CASE("pool: exec_ttl ends the request and replaces the worker") {
    Fixture f([](PoolConfig& c) {
        c.supervised = true;
        c.supervisor.exec_ttl = milliseconds(100);
    });
    REQUIRE(f.Open());
    Call hung("hang", true);
    f.Run(hung);
    REQUIRE(hung.end == JobEnd::kExecTtl);
    REQUIRE(f.reasons["exec_ttl"] == 1);
    REQUIRE(f.Ask("echo on") == "on");
}

TEST_CASE("pool: a soft error keeps the worker") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    std::string pid = f.Ask("pid");
    Call bad("error boom");
    f.Run(bad);
    REQUIRE(bad.end == JobEnd::kSoftError);
    REQUIRE(bad.message == "boom");
    REQUIRE(f.Ask("pid") == pid);
}

TEST_CASE("pool: garbage on the output costs that request only, at once") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    Call bad("garbage");
    f.Run(bad);
    REQUIRE(bad.end == JobEnd::kProtocol);
    REQUIRE(bad.message.find("Warning: this is no frame") != std::string::npos);
    REQUIRE(f.Ask("echo next") == "next");
}

TEST_CASE("pool: a second answer is never given to the next request") {
    for (const auto& env : {std::vector<std::pair<std::string, std::string>>{}, kNumbered}) {
        Fixture f([](PoolConfig& c) { c.num_workers = 1; }, env);
        REQUIRE(f.Open());
        REQUIRE(f.Ask("double") == "first");
        if (env.empty()) {
            // Without numbers only the time before the next dispatch protects (or the fence).
            REQUIRE(f.loop.RunUntil([&] { return f.reasons["protocol"] == 1; }));
        }
        REQUIRE(f.Ask("echo mine") == "mine");
    }
}

TEST_CASE("pool: a fence proves that a worker went on, without numbers") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.fence = true;
    });
    REQUIRE(f.Open());
    for (int i = 0; i < 20; ++i) {
        REQUIRE(f.Ask("echo " + std::to_string(i)) == std::to_string(i));
    }
    std::string pid = f.Ask("pid");
    REQUIRE(f.Ask("double") == "first");
    REQUIRE(f.Ask("pid") != pid);
}

TEST_CASE("pool: replace me runs the request elsewhere, ten times at most") {
    Fixture f;
    REQUIRE(f.Open());
    Call call("replace");
    f.Run(call);
    REQUIRE(call.end == JobEnd::kNoWorker);
    REQUIRE(f.reasons["replace_me"] == 11);
    REQUIRE(f.Ask("echo on") == "on");
}

TEST_CASE("pool: max_jobs is never exceeded and the successor is ready when it is reached") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.max_jobs = 3;
    });
    REQUIRE(f.Open());
    std::map<std::string, int> runs;
    for (int i = 0; i < 12; ++i) {
        ++runs[f.Ask("pid")];
    }
    for (const auto& [pid, count] : runs) {
        REQUIRE(count <= 3);
    }
    REQUIRE(runs.size() >= 4);
    REQUIRE(f.reasons["max_jobs"] >= 3);
}

TEST_CASE("pool: streams arrive frame by frame and pause on demand") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    Call call("stream 3");
    call.pause = true;
    Ticket ticket = f.pool->Exec(call.job, call);
    REQUIRE(f.loop.RunUntil([&] { return call.frames == 1; }));
    call.pause = false;
    f.pool->Resume(ticket);
    REQUIRE(f.loop.RunUntil([&] { return call.end.has_value(); }));
    REQUIRE(call.answer == "chunkchunkchunkend");
    REQUIRE(f.Ask("echo on") == "on");
}

TEST_CASE("pool: large answers come in pieces, large requests go out whole") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    REQUIRE(f.Ask("big 5000000").size() == 5000000);
    REQUIRE(f.Ask("count " + std::string(3000000, 'x')) == "3000006");
}

TEST_CASE("pool: a body from a file reaches the worker whole") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    FILE* file = tmpfile();
    std::string body = "count " + std::string(1000000, 'f');
    REQUIRE(fwrite(body.data(), 1, body.size(), file) == body.size());
    fflush(file);
    Call call("");
    call.job.body_file = fileno(file);
    call.job.body_file_size = body.size();
    f.Run(call);
    REQUIRE(call.answer == std::to_string(body.size()));
    fclose(file);
}

TEST_CASE("pool: prefetched requests are answered in order and to the right caller") {
    Fixture f([](PoolConfig& c) { c.num_workers = 2; }, kNumbered);
    REQUIRE(f.Open());
    std::vector<std::unique_ptr<Call>> calls;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i) {
            calls.push_back(std::make_unique<Call>("echo " + std::to_string(calls.size()), true));
            f.pool->Exec(calls.back()->job, *calls.back());
        }
        REQUIRE(f.loop.RunUntil([&] {
            return std::all_of(calls.begin(), calls.end(), [](auto& c) { return c->end; });
        }));
    }
    for (size_t i = 0; i < calls.size(); ++i) {
        REQUIRE(calls[i]->end == JobEnd::kDone);
        REQUIRE(calls[i]->answer == std::to_string(i));
    }
    uint64_t execs = 0;
    for (auto& worker : f.pool->Status().workers) {
        execs += worker.execs;
    }
    REQUIRE(execs >= calls.size());
}

TEST_CASE("pool: a request prefetched behind a slow one is run by somebody else") {
    Fixture f([](PoolConfig& c) { c.num_workers = 2; }, kNumbered);
    REQUIRE(f.Open());
    Call slow("hang");
    Call other("sleep 60 other");
    Call behind("echo behind", true);
    f.pool->Exec(slow.job, slow);
    f.pool->Exec(other.job, other);
    f.pool->Exec(behind.job, behind);
    REQUIRE(f.loop.RunUntil([&] { return behind.end.has_value(); }));
    REQUIRE(behind.answer == "behind");
    REQUIRE_FALSE(slow.end);
    REQUIRE(f.loop.RunUntil([&] { return other.end.has_value(); }));
    REQUIRE(f.Ask("echo on") == "on");
    f.Shut(milliseconds(50));
}

TEST_CASE("pool: waiting ends in time also for a request prefetched behind a stuck one") {
    Fixture f(
        [](PoolConfig& c) {
            c.num_workers = 1;
            c.allocate_timeout = milliseconds(300);
        },
        kNumbered);
    REQUIRE(f.Open());
    Call stuck("hang");
    Call behind("echo y", true);
    f.pool->Exec(stuck.job, stuck);
    f.Run(behind);
    REQUIRE(behind.end == JobEnd::kNoWorker);
    REQUIRE_FALSE(stuck.end);
    f.Shut(milliseconds(50));
}

TEST_CASE("pool: a late second answer costs the request that runs then nothing") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; }, kNumbered);
    REQUIRE(f.Open());
    Call twice("late 50");
    Call innocent("sleep 200 mine");
    f.Run(twice);
    f.Run(innocent);
    REQUIRE(innocent.end == JobEnd::kDone);
    REQUIRE(innocent.answer == "200 mine");
    REQUIRE(f.reasons["protocol"] == 1);
}

TEST_CASE("pool: an answer cut off by its worker's death is no answer and is not run again") {
    Fixture f;
    REQUIRE(f.Open());
    Call cut("cut", true);
    f.Run(cut);
    REQUIRE(cut.end == JobEnd::kWorkerDied);
    REQUIRE(cut.message.find("in the middle of its answer") != std::string::npos);
}

TEST_CASE("pool: a worker that left its process group is killed all the same") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; }, {{"OTHER_GROUP", "1"}});
    REQUIRE(f.Open());
    Call stuck("hang");
    f.pool->Exec(stuck.job, stuck);
    f.Shut(milliseconds(20));
    REQUIRE(stuck.end == JobEnd::kWorkerDied);
}

TEST_CASE("pool: a boot failure is told with exit code, output and command") {
    Fixture f({}, {{"BOOT_EXIT", "7"}});
    REQUIRE_FALSE(f.Open());
    REQUIRE(f.error.find("exited with code 7") != std::string::npos);
    REQUIRE(f.error.find("cannot start: something is missing") != std::string::npos);
    REQUIRE(f.error.find(WorkerProgram()) != std::string::npos);
}

TEST_CASE("pool: a worker that never answers the handshake is killed and reported") {
    Fixture f([](PoolConfig& c) { c.allocate_timeout = milliseconds(200); },
              {{"BOOT_SILENT", "1"}});
    REQUIRE_FALSE(f.Open());
    REQUIRE(f.error.find("allocate_timeout") != std::string::npos);
}

TEST_CASE("pool: a missing program is named") {
    Fixture f;
    f.services.settings.command = {"no-such-program-here"};
    REQUIRE_FALSE(f.Open());
    REQUIRE(f.error.find("\"no-such-program-here\": executable file not found in $PATH") !=
            std::string::npos);
}

TEST_CASE("pool: reset replaces every worker while requests go on") {
    Fixture f;
    REQUIRE(f.Open());
    std::vector<int64_t> before;
    for (auto& worker : f.pool->Status().workers) {
        before.push_back(worker.pid);
    }
    Call running("sleep 1500 running");
    f.pool->Exec(running.job, running);
    REQUIRE(f.Reset());
    REQUIRE_FALSE(running.end);  // a slow request delays nobody
    REQUIRE(f.Ask("echo new") == "new");
    REQUIRE(f.loop.RunUntil([&] { return running.end.has_value(); }));
    REQUIRE(running.answer == "1500 running");
    REQUIRE(f.loop.RunUntil([&] { return f.pool->Status().workers.size() == 2; }));
    for (auto& worker : f.pool->Status().workers) {
        REQUIRE(std::find(before.begin(), before.end(), worker.pid) == before.end());
    }
}

TEST_CASE("pool: a reset whose boot fails keeps the old generation and says why") {
    Fixture f;
    REQUIRE(f.Open());
    std::string pid = f.Ask("pid");
    f.services.settings.env = {{"BOOT_EXIT", "9"}};
    Result<void> reset = f.Reset();
    REQUIRE_FALSE(reset);
    REQUIRE(reset.error().message.find("exited with code 9") != std::string::npos);
    REQUIRE(f.Ask("pid") == pid);
}

TEST_CASE("pool: twenty resets at once make at most two generations") {
    Fixture f;
    REQUIRE(f.Open());
    int done = 0;
    for (int i = 0; i < 20; ++i) {
        f.pool->Reset([&done](Result<void> r) { done += r ? 1 : 0; });
    }
    REQUIRE(f.loop.RunUntil([&done] { return done == 20; }));
    REQUIRE(f.pool->Status().generation == 3);
}

TEST_CASE("pool: a reset in steps keeps serving") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 4;
        c.reset_surge = 25;
    });
    REQUIRE(f.Open());
    REQUIRE(f.Reset());
    REQUIRE(f.Ask("echo on") == "on");
    REQUIRE(f.loop.RunUntil([&] { return f.pool->Status().workers.size() == 4; }));
}

TEST_CASE("pool: a stubborn worker is gone within destroy_timeout") {
    Fixture f(
        [](PoolConfig& c) {
            c.num_workers = 1;
            c.destroy_timeout = milliseconds(300);
        },
        {{"STUBBORN", "1"}});
    REQUIRE(f.Open());
    f.Shut(std::chrono::seconds(60));  // RunUntil gives up long before
}

TEST_CASE("pool: closing answers what runs, and ends at the deadline whatever happens") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    Call slow("sleep 100 x");
    f.pool->Exec(slow.job, slow);
    f.Shut();
    REQUIRE(slow.end == JobEnd::kDone);

    Fixture g([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(g.Open());
    Call hung("hang");
    Call queued("echo x");
    g.pool->Exec(hung.job, hung);
    g.pool->Exec(queued.job, queued);
    g.Shut(milliseconds(100));
    REQUIRE(hung.end == JobEnd::kWorkerDied);
    REQUIRE(queued.end == JobEnd::kClosed);
}

TEST_CASE("pool: the dynamic allocator grows on waiting and shrinks on idleness") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.dynamic = true;
        c.allocator.max_workers = 3;
        c.allocator.spawn_rate = 2;
        c.allocator.idle_timeout = milliseconds(300);
    });
    REQUIRE(f.Open());
    Call slow("hang");
    f.pool->Exec(slow.job, slow);
    REQUIRE(f.Ask("echo helped") == "helped");
    REQUIRE_FALSE(slow.end);
    REQUIRE(f.loop.RunUntil([&] { return f.pool->Status().workers.size() == 1; }));
    REQUIRE(f.reasons["shrink"] == 2);
    f.Shut(milliseconds(50));
}

TEST_CASE("pool: debug mode gives every request its own process") {
    Fixture f([](PoolConfig& c) {
        c.debug = true;
        c.num_workers = 0;
    });
    REQUIRE(f.Open());
    REQUIRE(f.Ask("pid") != f.Ask("pid"));
    f.services.settings.env = {{"BOOT_EXIT", "4"}};
    REQUIRE(f.Reset());
    REQUIRE(f.Ask("echo x").find("exited with code 4") != std::string::npos);
}

TEST_CASE("pool: debug mode has no more processes than it was told") {
    Fixture f([](PoolConfig& c) {
        c.debug = true;
        c.debug_workers = 1;
    });
    REQUIRE(f.Open());
    Call slow("sleep 50 x");
    Call next("pid");
    f.pool->Exec(slow.job, slow);
    f.pool->Exec(next.job, next);
    size_t most = 0;
    REQUIRE(f.loop.RunUntil([&] {
        most = std::max(most, f.pool->Status().workers.size());
        return slow.end && next.end;
    }));
    REQUIRE(most == 1);
}

TEST_CASE("pool: workers are added and removed by hand, never the last one") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    bool added = false;
    f.pool->AddWorker([&added](Result<void> r) { added = r.has_value(); });
    REQUIRE(f.loop.RunUntil([&added] { return added; }));
    REQUIRE(f.pool->Status().workers.size() == 2);
    bool removed = false;
    f.pool->RemoveWorker([&removed](Result<void> r) { removed = r.has_value(); });
    REQUIRE_FALSE(removed);
    REQUIRE(f.loop.RunUntil([&removed] { return removed; }));
    REQUIRE(f.pool->Status().workers.size() == 1);
    f.pool->RemoveWorker([](Result<void>) {});
    REQUIRE(f.loop.RunUntil([&] { return f.pool->Status().workers.size() == 1; }));
    REQUIRE(f.Ask("echo last") == "last");
}

TEST_CASE("pool: workers connect over unix and tcp sockets, strangers cost nothing") {
    std::string path = "/tmp/rr-pool-test-" + std::to_string(getpid()) + ".sock";
    for (const std::string& relay : {std::string("tcp://127.0.0.1:0"), "unix://" + path}) {
        Fixture f([](PoolConfig& c) { c.num_workers = 3; });
        relay::HubOptions options;
        options.handshake_limit = milliseconds(500);
        auto hub = relay::SocketHub::Open(f.loop, relay, options);
        REQUIRE(hub);
        f.services.hub = hub->get();
        f.services.settings.relay = (*hub)->address().ToString();
        // Two strangers before the workers: one silent, one that talks nonsense.
        int silent = ConnectTo((*hub)->address());
        int loud = ConnectTo((*hub)->address());
        REQUIRE(write(loud, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
        REQUIRE(f.Open());
        REQUIRE(f.Ask("echo over a socket") == "over a socket");
        REQUIRE(f.Ask("big 1000000").size() == 1000000);
        Call killed("kill");
        f.Run(killed);
        REQUIRE(killed.end == JobEnd::kWorkerDied);
        REQUIRE(f.loop.RunUntil([&] { return f.pulse.ready == 3; }));
        REQUIRE(f.Reset());
        REQUIRE(f.Ask("echo again") == "again");
        f.Shut();
        close(silent);
        close(loud);
    }
}

TEST_CASE("pool: ttl retires a worker when its successor is ready") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.supervised = true;
        c.supervisor.watch_tick = milliseconds(50);
        c.supervisor.ttl = milliseconds(200);
    });
    REQUIRE(f.Open());
    std::string first = f.Ask("pid");
    REQUIRE(f.loop.RunUntil([&] { return f.reasons["ttl"] >= 1; }));
    REQUIRE(f.Ask("pid") != first);
}

TEST_CASE(
    "pool: a request that a dead worker had not read is run by the next one, replayable or not") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    pid_t pid = static_cast<pid_t>(std::stoi(f.Ask("pid")));
    REQUIRE(kill(pid, SIGSTOP) == 0);  // alive, and reading nothing
    siginfo_t stopped{};
    REQUIRE(waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED | WNOWAIT) == 0);
    Call call("echo it");
    f.pool->Exec(call.job, call);
    REQUIRE(kill(pid, SIGKILL) == 0);
    REQUIRE(f.loop.RunUntil([&call] { return call.end.has_value(); }));
    REQUIRE(call.end == JobEnd::kDone);
    REQUIRE(call.answer == "it");
}

TEST_CASE("pool: a request that a dead worker had begun to read is not run again") {
    Fixture f([](PoolConfig& c) { c.num_workers = 1; });
    REQUIRE(f.Open());
    Call call("kill");
    f.pool->Exec(call.job, call);
    REQUIRE(f.loop.RunUntil([&call] { return call.end.has_value(); }));
    REQUIRE(call.end == JobEnd::kWorkerDied);
}

}  // namespace rr::pool
