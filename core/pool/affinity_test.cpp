// Jobs with an affinity: one number, one worker.
#include <signal.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/pool/pool_for_test.hpp"

namespace rr::pool {
namespace {

Call Bound(uint64_t affinity, const std::string& body) {
    Call call(body);
    call.job.affinity = affinity;
    return call;
}

std::string PidOf(Fixture& f, uint64_t affinity) {
    Call call = Bound(affinity, "pid");
    f.Run(call);
    REQUIRE(call.end == JobEnd::kDone);
    return call.answer;
}

void Many(PoolConfig& c) { c.num_workers = 3; }

}  // namespace

TEST_CASE("affinity: jobs of one number run on one worker, others on others") {
    Fixture f(Many);
    REQUIRE(f.Open());
    std::vector<std::string> pids;
    for (uint64_t number = 1; number <= 3; ++number) {
        pids.push_back(PidOf(f, number));
    }
    REQUIRE(std::set<std::string>(pids.begin(), pids.end()).size() == 3);
    for (uint64_t number = 1; number <= 30; ++number) {
        f.Ask("echo x");  // wherever it runs
        REQUIRE(PidOf(f, number) == pids[(number - 1) % 3]);
    }
}

TEST_CASE("affinity: a job waits for its worker even if others are idle") {
    Fixture f(Many);
    REQUIRE(f.Open());
    std::string pid = PidOf(f, 1);
    Call slow = Bound(1, "sleep 200 x");
    Call behind = Bound(1, "pid");
    Call third = Bound(4, "pid");
    f.pool->Exec(slow.job, slow);
    f.pool->Exec(behind.job, behind);
    f.pool->Exec(third.job, third);
    REQUIRE(f.pool->Status().queued == 2);
    REQUIRE(f.Ask("echo free") == "free");  // not kept waiting by them
    REQUIRE_FALSE(slow.end);
    REQUIRE(f.loop.RunUntil([&] { return behind.end && third.end; }));
    REQUIRE(behind.answer == pid);
    REQUIRE(third.answer == pid);
}

TEST_CASE("affinity: nobody starves where bound and free jobs wait together") {
    Fixture f([](PoolConfig& c) { c.num_workers = 2; });
    REQUIRE(f.Open());
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 400; ++i) {
        calls.push_back(std::make_unique<Call>("echo " + std::to_string(i)));
        calls.back()->job.affinity = static_cast<uint64_t>(i % 4);  // 0: free
        f.pool->Exec(calls.back()->job, *calls.back());
    }
    // In the order in which they came, as far as one worker's own go.
    REQUIRE(f.loop.RunUntil([&] {
        for (size_t i = 8; i < calls.size(); ++i) {
            REQUIRE((!calls[i]->end || calls[i - 8]->end || i % 4 == 0));
        }
        return std::all_of(calls.begin(), calls.end(), [](auto& c) { return c->end; });
    }));
    for (size_t i = 0; i < calls.size(); ++i) {
        REQUIRE(calls[i]->answer == std::to_string(i));
    }
}

TEST_CASE("affinity: the successor of a worker that died has its jobs") {
    Fixture f(Many);
    REQUIRE(f.Open());
    std::string pid = PidOf(f, 1);
    std::string other = PidOf(f, 2);
    Call dies = Bound(1, "kill");
    Call behind = Bound(1, "pid");
    f.pool->Exec(dies.job, dies);
    f.pool->Exec(behind.job, behind);
    REQUIRE(f.loop.RunUntil([&] { return behind.end.has_value(); }));
    REQUIRE(behind.end == JobEnd::kDone);
    REQUIRE(behind.answer != pid);
    REQUIRE(behind.answer != other);
    REQUIRE(behind.answer != PidOf(f, 3));
    REQUIRE(PidOf(f, 1) == behind.answer);
    REQUIRE(PidOf(f, 2) == other);
}

TEST_CASE("affinity: a reset, max_jobs and ttl hand the slots on") {
    Fixture f(Many);
    REQUIRE(f.Open());
    std::string before = PidOf(f, 1);
    Call slow = Bound(1, "sleep 700 x");
    Call behind = Bound(1, "pid");
    f.pool->Exec(slow.job, slow);
    f.pool->Exec(behind.job, behind);
    REQUIRE(f.Reset());
    REQUIRE(f.loop.RunUntil([&] { return behind.end.has_value(); }));
    REQUIRE(behind.answer != before);
    REQUIRE_FALSE(slow.end);  // the old worker still runs it
    REQUIRE(PidOf(f, 4) == behind.answer);
    REQUIRE(f.loop.RunUntil([&] { return slow.end.has_value(); }));

    Fixture g([](PoolConfig& c) {
        c.num_workers = 2;
        c.max_jobs = 2;
        c.reset_surge = 25;
    });
    REQUIRE(g.Open());
    std::map<std::string, std::set<uint64_t>> seen;
    for (uint64_t i = 0; i < 20; ++i) {
        seen[PidOf(g, 1 + i % 2)].insert(1 + i % 2);
        if (i % 7 == 0) {
            REQUIRE(g.Reset());
        }
    }
    for (const auto& [pid, numbers] : seen) {
        REQUIRE(numbers.size() == 1);
    }

    Fixture h([](PoolConfig& c) {
        c.num_workers = 2;
        c.supervised = true;
        c.supervisor.watch_tick = milliseconds(30);
        c.supervisor.ttl = milliseconds(150);
    });
    REQUIRE(h.Open());
    Instant until = Clock::now() + milliseconds(600);
    while (Clock::now() < until) {
        PidOf(h, 1);
        PidOf(h, 2);
    }
    REQUIRE(h.reasons["ttl"] >= 2);
}

TEST_CASE("affinity: of a slot that nobody will take any worker runs the jobs") {
    Fixture f([](PoolConfig& c) { c.num_workers = 2; });
    REQUIRE(f.Open());
    PidOf(f, 1);
    PidOf(f, 2);
    Call slow = Bound(1, "sleep 100 x");
    Call other = Bound(2, "sleep 100 y");
    Call waits1 = Bound(1, "pid");
    Call waits2 = Bound(2, "pid");
    for (Call* call : {&slow, &other, &waits1, &waits2}) {
        f.pool->Exec(call->job, *call);
    }
    bool removed = false;
    f.pool->RemoveWorker([&removed](Result<void>) { removed = true; });
    REQUIRE(f.loop.RunUntil([&] { return waits1.end && waits2.end; }));
    REQUIRE(waits1.end == JobEnd::kDone);
    REQUIRE(waits1.answer == waits2.answer);
    REQUIRE(f.loop.RunUntil([&] { return f.pool->Status().workers.size() == 1; }));
    REQUIRE(PidOf(f, 1) == PidOf(f, 2));
    f.pool->AddWorker([](Result<void>) {});
    REQUIRE(f.loop.RunUntil([&] { return f.pulse.ready == 2; }));
    REQUIRE(PidOf(f, 1) != PidOf(f, 2));
}

TEST_CASE("affinity: cancelled, too late or closed, a bound job ends as others do") {
    Fixture f([](PoolConfig& c) {
        c.num_workers = 2;
        c.allocate_timeout = milliseconds(200);
    });
    REQUIRE(f.Open());
    Call hung = Bound(1, "hang");
    Call late = Bound(1, "echo late");
    Call patient = Bound(1, "echo patient");
    patient.job.patient = true;
    Call cancelled = Bound(1, "echo c");
    f.pool->Exec(hung.job, hung);
    f.pool->Exec(patient.job, patient);
    f.pool->Exec(late.job, late);
    Ticket ticket = f.pool->Exec(cancelled.job, cancelled);
    REQUIRE(f.pool->InQueue(ticket));
    f.pool->Cancel(ticket);
    REQUIRE(f.loop.RunUntil([&] { return late.end && cancelled.end; }));
    REQUIRE(late.end == JobEnd::kNoWorker);
    REQUIRE(cancelled.end == JobEnd::kCancelled);
    REQUIRE_FALSE(patient.end);
    f.Shut(milliseconds(100));
    REQUIRE(patient.end == JobEnd::kClosed);
    REQUIRE(hung.end == JobEnd::kWorkerDied);
}

}  // namespace rr::pool
