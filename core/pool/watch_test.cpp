// PoolConfig::Watch: slow jobs and what jobs cost, with real processes.
#include <signal.h>

#include <catch2/catch.hpp>

#include "core/pool/pool_for_test.hpp"

namespace rr::pool {
namespace {

constexpr Duration kSoon = milliseconds(30);
constexpr Duration kNever = std::chrono::hours(1);

bool UntilSlow(Fixture& f, const Call& call) {
    return f.loop.RunUntil([&call] { return !call.slow.empty(); });
}

}  // namespace

TEST_CASE("watch: a slow job is told once, while it runs, and measured at its end") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 1;
        c.watch.slow_after = kSoon;
    });
    REQUIRE(f.Open());
    for (int i = 0; i < 2; ++i) {
        f.Ask("echo its timer goes on for the next one");
        Call slow("hang");
        f.pool->Exec(slow.job, slow);
        REQUIRE(UntilSlow(f, slow));
        REQUIRE_FALSE(slow.end);
        REQUIRE_FALSE(slow.doing.empty());
        const JobReport& told = slow.slow[0];
        REQUIRE(told.pool == "test");
        REQUIRE(told.pid == f.pool->Status().workers[0].pid);
        REQUIRE(told.run >= kSoon);
        REQUIRE(told.cpu >= Duration::zero());
        kill(told.pid, SIGKILL);
        REQUIRE(f.loop.RunUntil([&slow] { return slow.end.has_value(); }));
        REQUIRE(slow.end == JobEnd::kWorkerDied);
        REQUIRE(slow.slow.size() == 1);
        REQUIRE(slow.measured.size() == 1);
        REQUIRE(slow.measured[0].run >= told.run);
        REQUIRE(slow.measured[0].cpu >= Duration::zero());
    }
}

TEST_CASE("watch: nobody is told of what is fast, or if nobody asked") {
    for (Duration after : {Duration::zero(), kNever}) {
        Fixture f([after](PoolConfig& c) { c.watch.slow_after = after; });
        REQUIRE(f.Open());
        Call call("sleep 50 done");
        f.Run(call);
        REQUIRE(call.slow.empty());
        REQUIRE(call.measured.empty());
    }
}

TEST_CASE("watch: each job's processor time, memory and time in the queue") {
    for (bool numbered : {false, true}) {  // the latter would get their jobs ahead of time
        CAPTURE(numbered);
        Fixture f(
            [](PoolConfig& c) {
                c.num_workers = 1;
                c.watch.cpu = c.watch.memory = true;
            },
            numbered ? kNumbered : std::vector<std::pair<std::string, std::string>>{});
        REQUIRE(f.Open());
        Call first("sleep 20 a", true);
        Call second("echo b", true);
        Instant begun = Clock::now();
        f.pool->Exec(first.job, first);
        f.pool->Exec(second.job, second);
        Duration between = Clock::now() - begun;
        REQUIRE(f.loop.RunUntil([&] { return first.end && second.end; }));
        for (Call* call : {&first, &second}) {
            REQUIRE(call->measured.size() == 1);
            REQUIRE(call->measured[0].cpu > Duration::zero());
            REQUIRE(call->measured[0].peak_memory > 0);
            REQUIRE(call->slow.empty());
        }
        REQUIRE(first.measured[0].run >= milliseconds(20));
        REQUIRE(second.measured[0].queued >= first.measured[0].run - between);
    }
}

TEST_CASE("watch: what exec_ttl ends, it says what the worker did") {
    auto tune = [](Duration slow_after) {
        return [slow_after](PoolConfig& c) {
            c.supervised = true;
            c.supervisor.exec_ttl = milliseconds(100);
            c.watch.slow_after = slow_after;
        };
    };
    const std::string does = "waits in pause for a signal";
    Fixture off(tune({}));
    REQUIRE(off.Open());
    // It may not have come so far: then once more.
    std::string said;
    for (int i = 0; i < 20 && said != "exec_ttl passed; the worker " + does; ++i) {
        Call hung("hang");
        off.Run(hung);
        REQUIRE(hung.end == JobEnd::kExecTtl);
        REQUIRE(hung.slow.empty());
        REQUIRE(hung.measured.empty());
        said = hung.message;
    }
    REQUIRE(said == "exec_ttl passed; the worker " + does);

    Fixture later(tune(kNever));
    REQUIRE(later.Open());
    Call killed("hang");
    later.Run(killed);
    REQUIRE(killed.end == JobEnd::kExecTtl);
    REQUIRE(killed.slow.size() == 1);
    REQUIRE(killed.message == "exec_ttl passed; the worker " + killed.doing);
    REQUIRE(killed.measured.size() == 1);
    REQUIRE(killed.measured[0].memory > 0);
}

TEST_CASE("watch: a stream is slow by all of its time, also if exec_ttl counts each part anew") {
    Fixture f([](PoolConfig& c) {
        c.supervised = true;
        c.supervisor.exec_ttl = kNever;
        c.watch.slow_after = kSoon;
    });
    REQUIRE(f.Open());
    Call stream("stream 3");
    stream.pause = true;
    Ticket ticket = f.pool->Exec(stream.job, stream);
    REQUIRE(UntilSlow(f, stream));
    REQUIRE(stream.doing.ends_with("; the client reads its answer too slowly"));
    stream.pause = false;
    f.pool->Resume(ticket);
    REQUIRE(f.loop.RunUntil([&stream] { return stream.end.has_value(); }));
    REQUIRE(stream.measured[0].run >= stream.slow[0].run);
    REQUIRE(stream.measured[0].memory > 0);
    REQUIRE(stream.measured[0].peak_memory == 0);  // nobody asked
    REQUIRE(stream.slow.size() == 1);
}

TEST_CASE("watch: a worker that dies leaves the bill") {
    Fixture f([](PoolConfig& c) { c.watch.cpu = c.watch.memory = true; });
    REQUIRE(f.Open());
    Call dies("exit 3");
    f.Run(dies);
    REQUIRE(dies.end == JobEnd::kWorkerDied);
    REQUIRE(dies.measured.size() == 1);
    REQUIRE(dies.measured[0].cpu >= Duration::zero());
    Call garbage("garbage");
    f.Run(garbage);
    REQUIRE(garbage.end == JobEnd::kProtocol);
    REQUIRE(garbage.measured.size() == 1);
    REQUIRE(garbage.measured[0].peak_memory > 0);
}

}  // namespace rr::pool
