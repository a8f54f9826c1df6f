// Events: jobs that end with the fence behind them, whatever was answered. And the fence itself.
#include <stdio.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/timer.hpp"
#include "core/pool/pool_for_test.hpp"
#include "relay/socket_hub.hpp"

namespace rr::pool {
namespace {

void One(PoolConfig& c) { c.num_workers = 1; }

Call Event(const std::string& body) {
    Call call(body);
    call.job.event = true;
    return call;
}

uint64_t Execs(Fixture& f) { return f.pool->Status().workers.at(0).execs; }

const std::vector<std::vector<std::pair<std::string, std::string>>> kBothKinds = {{}, kNumbered};

}  // namespace

TEST_CASE("event: answered never, once or three times, it ends when the worker is back") {
    for (const auto& env : kBothKinds) {
        Fixture f(One, env);
        REQUIRE(f.Open());
        std::string pid = f.Ask("pid");
        Call none = Event("none");
        Call once = Event("times 1");
        Call thrice = Event("times 3");
        for (Call* call : {&none, &once, &thrice}) {
            f.pool->Exec(call->job, *call);
        }
        REQUIRE(f.loop.RunUntil([&] { return none.end && once.end && thrice.end; }));
        REQUIRE(none.end == JobEnd::kDone);
        REQUIRE(none.frames == 0);
        REQUIRE(once.end == JobEnd::kDone);
        REQUIRE(once.answer == "0");
        REQUIRE(thrice.end == JobEnd::kDone);
        REQUIRE(thrice.answer == "012");
        REQUIRE(thrice.frames == 3);
        REQUIRE(f.Ask("pid") == pid);
        REQUIRE(Execs(f) == 5);
    }
}

TEST_CASE("event: each frame is told at once, the worker is busy until the fence") {
    Fixture f(One);
    REQUIRE(f.Open());
    Call call = Event("late 150");
    Call behind("echo behind");
    f.pool->Exec(call.job, call);
    f.pool->Exec(behind.job, behind);
    REQUIRE(f.loop.RunUntil([&] { return call.answer == "first"; }));
    REQUIRE_FALSE(call.end);
    WorkerInfo info = f.pool->Status().workers[0];
    REQUIRE(info.state == WorkerState::kWorking);
    REQUIRE(info.task == "a test's call");
    REQUIRE(info.execs == 1);
    REQUIRE(f.loop.RunUntil([&] { return call.end.has_value(); }));
    REQUIRE(call.answer == "firstsecond");
    REQUIRE(f.loop.RunUntil([&] { return behind.end.has_value(); }));
    REQUIRE(behind.answer == "behind");
    REQUIRE(f.pool->Status().workers[0].state == WorkerState::kReady);
    REQUIRE(f.pool->Status().workers[0].task.empty());
}

TEST_CASE("event: streams, one after the other") {
    for (const auto& env : kBothKinds) {
        Fixture f(One, env);
        REQUIRE(f.Open());
        Call call = Event("streams 2");
        f.Run(call);
        REQUIRE(call.end == JobEnd::kDone);
        REQUIRE(call.answer == "ccceccce");
        REQUIRE(call.frames == 8);
        REQUIRE(f.Ask("echo on") == "on");
    }
}

TEST_CASE("event: the first error is its end, what was answered stays") {
    for (const auto& env : kBothKinds) {
        Fixture f(One, env);
        REQUIRE(f.Open());
        std::string pid = f.Ask("pid");
        Call call = Event("oops");
        f.Run(call);
        REQUIRE(call.end == JobEnd::kSoftError);
        REQUIRE(call.message == "the first");
        REQUIRE(call.answer == "beforeafter");
        Call next = Event("none");
        f.Run(next);
        REQUIRE(next.end == JobEnd::kDone);
        REQUIRE(next.message.empty());
        REQUIRE(f.Ask("pid") == pid);
    }
}

TEST_CASE("event: replace me as the first answer hands it back, later it is an answer") {
    Fixture f;
    REQUIRE(f.Open());
    Call back = Event("replace");
    f.Run(back);
    REQUIRE(back.end == JobEnd::kNoWorker);
    REQUIRE(f.reasons["replace_me"] == 11);
    Call late = Event("return");
    f.Run(late);
    REQUIRE(late.end == JobEnd::kDone);
    REQUIRE(late.frames == 2);
    REQUIRE(late.context == "{\"stop\":true}");
    REQUIRE(f.reasons["replace_me"] == 11);
}

TEST_CASE("event: a death ends it once, and is replayed only before an answer") {
    Fixture f(One);
    REQUIRE(f.Open());
    Call left = Event("leave");
    left.job.replayable = true;
    f.Run(left);
    REQUIRE(left.end == JobEnd::kWorkerDied);
    REQUIRE(left.answer == "bye");
    REQUIRE(left.message.find("before it was done with the event") != std::string::npos);
    Call cut = Event("cut");
    f.Run(cut);
    REQUIRE(cut.end == JobEnd::kWorkerDied);
    Call killed = Event("kill");
    f.Run(killed);
    REQUIRE(killed.end == JobEnd::kWorkerDied);
    REQUIRE(f.seen[WorkerChange::kExited] == 3);
    Call twice = Event("exit 4");
    twice.job.replayable = true;
    f.Run(twice);
    REQUIRE(twice.end == JobEnd::kWorkerDied);
    REQUIRE(f.seen[WorkerChange::kExited] == 5);
    REQUIRE(f.Ask("echo on") == "on");
}

TEST_CASE("event: a broken wire format ends it and the worker") {
    for (const auto& env : kBothKinds) {
        Fixture f(One, env);
        REQUIRE(f.Open());
        for (const char* what : {"options", "garbage", "unended"}) {
            std::string pid = f.Ask("pid");
            Call call = Event(what);
            f.Run(call);
            REQUIRE(call.end == JobEnd::kProtocol);
            REQUIRE_FALSE(call.message.empty());
            REQUIRE(f.Ask("pid") != pid);
        }
        REQUIRE(f.reasons["protocol"] == 3);
    }
}

TEST_CASE("event: exec_ttl lasts until the fence") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.supervised = true;
        c.supervisor.exec_ttl = milliseconds(200);
    });
    REQUIRE(f.Open());
    Call hung = Event("hang");
    f.Run(hung);
    REQUIRE(hung.end == JobEnd::kExecTtl);
    Call slow = Event("late 5000");
    f.Run(slow);
    REQUIRE(slow.end == JobEnd::kExecTtl);
    REQUIRE(slow.answer == "first");
    REQUIRE(f.reasons["exec_ttl"] == 2);
    REQUIRE(f.Ask("echo on") == "on");
}

TEST_CASE("event: a paused sink holds the rest back, the fence comes after Resume") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.supervised = true;
        c.supervisor.exec_ttl = milliseconds(50);  // waiting for us is no fault of the worker
    });
    REQUIRE(f.Open());
    Call call = Event("times 3");
    call.pause = true;
    Ticket ticket = f.pool->Exec(call.job, call);
    for (int frame = 1; frame <= 3; ++frame) {
        REQUIRE(f.loop.RunUntil([&] { return call.frames == frame; }));
        Instant until = Clock::now() + milliseconds(80);
        REQUIRE(f.loop.RunUntil([&] { return Clock::now() >= until; }));
        REQUIRE(call.frames == frame);
        REQUIRE_FALSE(call.end);
        f.pool->Resume(ticket);
    }
    REQUIRE(f.loop.RunUntil([&] { return call.end.has_value(); }));
    REQUIRE(call.end == JobEnd::kDone);
    REQUIRE(call.answer == "012");
    REQUIRE(f.reasons["exec_ttl"] == 0);
}

TEST_CASE("event: a large answer pauses in pieces, and the last piece too") {
    Fixture f(One);
    REQUIRE(f.Open());
    Call call = Event("big 1000000");
    call.pause = true;
    Ticket ticket = f.pool->Exec(call.job, call);
    int resumed = 0;
    REQUIRE(f.loop.RunUntil([&] {
        if (call.chunks > resumed) {
            ++resumed;
            f.pool->Resume(ticket);
        }
        return call.end.has_value();
    }));
    REQUIRE(call.answer.size() == 1000000);
    REQUIRE(resumed > 5);
}

TEST_CASE("event: a paused one whose worker dies ends") {
    Fixture f(One);
    REQUIRE(f.Open());
    Call call = Event("leave");
    call.pause = true;
    f.pool->Exec(call.job, call);
    REQUIRE(f.loop.RunUntil([&] { return call.end.has_value(); }));
    REQUIRE(call.end == JobEnd::kWorkerDied);
}

TEST_CASE("event: cancelled while it runs, it hears of the fence only") {
    Fixture f(One);
    REQUIRE(f.Open());
    Call silent = Event("late 50");
    Ticket ticket = f.pool->Exec(silent.job, silent);
    f.pool->Cancel(ticket);
    Call answered = Event("late 100");
    Ticket second = f.pool->Exec(answered.job, answered);
    REQUIRE(f.loop.RunUntil([&] { return answered.frames == 1; }));
    REQUIRE(silent.end == JobEnd::kCancelled);
    REQUIRE(silent.frames == 0);
    f.pool->Cancel(second);
    REQUIRE_FALSE(answered.end);
    REQUIRE(f.loop.RunUntil([&] { return answered.end.has_value(); }));
    REQUIRE(answered.end == JobEnd::kCancelled);
    REQUIRE(answered.answer == "first");
    // One that is paused is let go.
    Call paused = Event("times 3");
    paused.pause = true;
    Ticket third = f.pool->Exec(paused.job, paused);
    REQUIRE(f.loop.RunUntil([&] { return paused.frames == 1; }));
    f.pool->Cancel(third);
    REQUIRE(f.loop.RunUntil([&] { return paused.end.has_value(); }));
    REQUIRE(paused.frames == 1);
    REQUIRE(Execs(f) == 3);
    REQUIRE(f.seen[WorkerChange::kSpawned] == 1);
}

TEST_CASE("event: a stream without end gets STOP, and stream_timeout to obey") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.stream_timeout = milliseconds(100);
    });
    REQUIRE(f.Open());
    Call call = Event("flow");
    Ticket ticket = f.pool->Exec(call.job, call);
    REQUIRE(f.loop.RunUntil([&] { return call.frames == 1; }));
    f.pool->Cancel(ticket);
    REQUIRE(f.loop.RunUntil([&] { return call.end.has_value(); }));
    REQUIRE(call.end == JobEnd::kCancelled);
    REQUIRE(f.reasons["protocol"] == 1);
}

TEST_CASE("event: max_jobs counts each of them once") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.max_jobs = 3;
    });
    REQUIRE(f.Open());
    for (int i = 0; i < 9; ++i) {
        Call call = Event("times 2");
        f.Run(call);
        REQUIRE(call.end == JobEnd::kDone);
    }
    REQUIRE(f.loop.RunUntil([&] { return f.reasons["max_jobs"] == 3; }));
}

TEST_CASE("event: workers of Goridge v2 have none, which harms nobody") {
    for (bool debug : {false, true}) {
        Fixture f(
            [debug](PoolConfig& c) {
                c.num_workers = debug ? 0 : 1;
                c.debug = debug;
            },
            {{"V2", "1"}});
        REQUIRE(f.Open());
        // A debug pool has had no worker yet: it learns the dialect only now.
        for (int i = 0; i < 2; ++i) {
            Call call = Event("x");
            f.Run(call);
            REQUIRE(call.end == JobEnd::kProtocol);
            REQUIRE(call.message.find("Goridge v2") != std::string::npos);
        }
        REQUIRE(f.Ask("still here") == "still here");
        REQUIRE(f.reasons["protocol"] == 0);
    }
}

TEST_CASE("event: debug mode gives each its own process") {
    Fixture f([](PoolConfig& c) {
        c.debug = true;
        c.num_workers = 0;
    });
    REQUIRE(f.Open());
    Call first = Event("pid");
    Call second = Event("pid");
    second.job.affinity = first.job.affinity = 7;
    REQUIRE(f.Run(first).answer != f.Run(second).answer);
    REQUIRE(second.end == JobEnd::kDone);
}

TEST_CASE("event: a large request goes out whole, and its fence after it") {
    for (const auto& env : kBothKinds) {
        Fixture f(One, env);
        REQUIRE(f.Open());
        Call memory = Event("count " + std::string(3000000, 'x'));
        f.Run(memory);
        REQUIRE(memory.answer == "3000006");
        FILE* file = tmpfile();
        std::string body = "count " + std::string(1000000, 'f');
        REQUIRE(fwrite(body.data(), 1, body.size(), file) == body.size());
        fflush(file);
        Call filed = Event("");
        filed.job.body_file = fileno(file);
        filed.job.body_file_size = body.size();
        f.Run(filed);
        REQUIRE(filed.end == JobEnd::kDone);
        REQUIRE(filed.answer == std::to_string(body.size()));
        fclose(file);
        REQUIRE(f.seen[WorkerChange::kSpawned] == 1);
    }
}

// The worker reads a header with one call: in pieces it is its end.
TEST_CASE("fence: its header never comes in pieces, whatever the size of the request") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.fence = true;
    });
    REQUIRE(f.Open());
    for (size_t edge : {4096u, 8192u, 32768u, 65536u, 131072u}) {
        for (size_t size = edge - 56; size <= edge + 8; ++size) {
            std::string want = std::to_string(size);
            for (bool event : {false, true}) {
                Call call("count " + std::string(size - 6, 'x'));
                call.job.event = event;
                f.Run(call);
                REQUIRE(call.end == JobEnd::kDone);
                REQUIRE(call.answer == want);
            }
        }
    }
    REQUIRE(f.seen[WorkerChange::kSpawned] == 1);
}

// As the official SDK does while it looks for PONG or STOP.
TEST_CASE("fence: one that a stream swallowed holds nobody up") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.fence = true;
    });
    REQUIRE(f.Open());
    int replaced = 0;
    for (const char* what : {"swallow 1", "swallow 0"}) {
        for (bool event : {false, true}) {
            std::string pid = f.Ask("pid");
            Call call(what);
            call.job.event = event;
            f.Run(call);
            REQUIRE(call.end == JobEnd::kDone);
            REQUIRE(call.answer == "ce");
            REQUIRE(f.Ask("pid") != pid);
            REQUIRE(f.reasons["fence"] == ++replaced);
        }
    }
}

TEST_CASE("fence: over a socket") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.fence = true;
    });
    auto hub = relay::SocketHub::Open(f.loop, "tcp://127.0.0.1:0", {});
    REQUIRE(hub);
    f.services.hub = hub->get();
    f.services.settings.relay = (*hub)->address().ToString();
    REQUIRE(f.Open());
    REQUIRE(f.Ask("echo a") == "a");
    Call call = Event("times 3");
    REQUIRE(f.Run(call).answer == "012");
    Call stream = Event("streams 2");
    REQUIRE(f.Run(stream).answer == "ccceccce");
    REQUIRE(stream.end == JobEnd::kDone);
    REQUIRE(f.Ask("echo b") == "b");
    REQUIRE(f.reasons["fence"] == 1);
    f.Shut();
}

TEST_CASE("patient: neither a full queue nor allocate_timeout ends it, others end in time") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.max_queue_size = 2;
        c.allocate_timeout = milliseconds(150);
    });
    REQUIRE(f.Open());
    Call stuck("sleep 600 x");
    Call patient = Event("echo p");
    patient.job.patient = true;
    Call refused("echo r");
    Call second = Event("echo q");
    second.job.patient = true;
    f.pool->Exec(stuck.job, stuck);
    f.pool->Exec(patient.job, patient);
    f.pool->Exec(refused.job, refused);
    f.pool->Exec(second.job, second);
    REQUIRE(f.loop.RunUntil([&] { return refused.end.has_value(); }));
    REQUIRE(refused.end == JobEnd::kQueueFull);
    REQUIRE(f.loop.RunUntil([&] { return stuck.end && patient.end && second.end; }));
    REQUIRE(patient.end == JobEnd::kDone);
    REQUIRE(second.end == JobEnd::kDone);

    Fixture g([](PoolConfig& c) {
        c.num_workers = 1;
        c.allocate_timeout = milliseconds(150);
    });
    REQUIRE(g.Open());
    Call hung("hang");
    Call waits("echo p");
    Call hurried("echo h");
    waits.job.patient = true;
    g.pool->Exec(hung.job, hung);
    g.pool->Exec(waits.job, waits);
    Instant begun = Clock::now();
    g.Run(hurried);
    REQUIRE(hurried.end == JobEnd::kNoWorker);
    REQUIRE(Clock::now() - begun >= milliseconds(150));
    REQUIRE_FALSE(waits.end);
    // Nothing wakes the loop for the one that waits without a limit.
    int turns = 0;
    Instant until = Clock::now() + milliseconds(200);
    net::Timer timer(g.loop, [] {});
    timer.Arm(milliseconds(200));
    REQUIRE(g.loop.RunUntil([&] {
        ++turns;
        return Clock::now() >= until;
    }));
    REQUIRE(turns < 50);
    g.Shut(milliseconds(50));
    REQUIRE(waits.end == JobEnd::kClosed);
}

}  // namespace rr::pool
