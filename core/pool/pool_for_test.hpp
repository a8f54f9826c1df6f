// What the pool's tests share: a call that notes what it hears, and a pool of test_worker.cpp on a
// real loop.
//
// Thread: the test's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/api/events.hpp"
#include "core/pool/pool.hpp"
#include "relay/frame.hpp"

namespace rr::pool {

using std::chrono::milliseconds;

inline std::string WorkerProgram() { return std::string(RR_TEST_WORKER); }

class Call final : public JobSink {
public:
    explicit Call(const std::string& body, bool replayable = false)
        : bytes_(std::string(kHeadroom, '\0') + "{}" + body) {
        job.context = bytes_.data() + kHeadroom;
        job.context_size = 2;
        job.body_size = static_cast<uint32_t>(body.size());
        job.codec = relay::flag::kJson;
        job.replayable = replayable;
    }
    void OnHead(const AnswerHead& head) override {
        ++frames;
        if (!head.context.empty()) {
            context = head.context;
        }
    }
    bool OnChunk(Bytes body) override {
        ++chunks;
        answer += body;
        return !pause;
    }
    void OnDone(const JobResult& result) override {
        REQUIRE_FALSE(end);
        end = result.end;
        message = result.message;
    }
    std::string Summary() const override { return "a test's call"; }
    void OnSlow(const JobReport& report, Bytes what) override {
        slow.push_back(report);
        doing = what;
    }
    void OnMeasured(const JobReport& report) override {
        REQUIRE_FALSE(end);
        measured.push_back(report);
    }

    Job job;
    std::string context;
    std::string answer;
    std::string message;
    std::optional<JobEnd> end;
    int frames = 0;
    int chunks = 0;
    bool pause = false;
    std::vector<JobReport> slow;
    std::string doing;
    std::vector<JobReport> measured;

private:
    std::string bytes_;
};

struct Fixture {
    explicit Fixture(const std::function<void(PoolConfig&)>& tune = {},
                     std::vector<std::pair<std::string, std::string>> env = {}) {
        config.num_workers = 2;
        config.destroy_timeout = std::chrono::seconds(2);
        if (tune) {
            tune(config);
        }
        services.main = &loop;
        services.spawner = spawner.get();
        services.events = &events;
        services.settings.command = {WorkerProgram()};
        services.settings.env = std::move(env);
        services.settings.version = "2025.1.14";
        events.worker.Subscribe([this](const WorkerEvent& e) {
            ++seen[e.change];
            if (e.change == WorkerChange::kRecycled) {
                ++reasons[std::string(e.reason)];
            }
        });
    }
    ~Fixture() { Shut(); }

    bool Open() {
        bool called = false;
        WorkerPool::Open(loop, services, "test", config, pulse, [&](auto opened) {
            called = true;
            if (opened) {
                pool = std::move(*opened);
            } else {
                error = opened.error().message;
            }
        });
        REQUIRE(loop.RunUntil([&called] { return called; }));
        return pool != nullptr;
    }
    void Shut(Duration grace = std::chrono::seconds(5)) {
        if (!pool) {
            return;
        }
        bool closed = false;
        pool->Close(Clock::now() + grace, [&closed] { closed = true; });
        REQUIRE(loop.RunUntil([&closed] { return closed; }));
        pool.reset();
    }
    // Runs one request to its end.
    Call& Run(Call& call) {
        pool->Exec(call.job, call);
        REQUIRE(loop.RunUntil([&call] { return call.end.has_value(); }));
        return call;
    }
    std::string Ask(const std::string& body) {
        Call call(body);
        Run(call);
        return call.end == JobEnd::kDone ? call.answer : "failed: " + call.message;
    }
    Result<void> Reset() {
        std::optional<Result<void>> result;
        pool->Reset([&result](Result<void> r) { result = std::move(r); });
        REQUIRE(loop.RunUntil([&result] { return result.has_value(); }));
        return std::move(*result);
    }

    EventBus events;
    GroupPulse pulse;
    Loop loop{"test"};
    std::unique_ptr<Spawner> spawner = Spawner::Make(loop);
    Services services;
    PoolConfig config;
    std::unique_ptr<WorkerPool> pool;
    std::string error;
    std::map<WorkerChange, int> seen;
    std::map<std::string, int> reasons;
};

inline const std::vector<std::pair<std::string, std::string>> kNumbered = {{"NUMBERED", "1"}};

}  // namespace rr::pool
