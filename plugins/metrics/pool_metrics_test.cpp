#include "plugins/metrics/pool_metrics.hpp"

#include <map>
#include <optional>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::metrics;

namespace {

class Group final : public WorkerGroup {
public:
    Group(std::string name, bool with_pulse) : name_(std::move(name)), with_pulse_(with_pulse) {}
    std::string_view group_name() const override { return name_; }
    const GroupPulse* pulse() const override { return with_pulse_ ? &state : nullptr; }
    void Status(StatusDone done) override {
        ++asked;
        answer = std::move(done);
    }
    void AddWorker(Done) override {}
    void RemoveWorker(Done) override {}

    void Answer(std::vector<WorkerInfo> workers) {
        GroupStatus status;
        status.workers = std::move(workers);
        auto done = std::move(answer);
        answer = nullptr;
        done(std::move(status));
    }

    GroupPulse state;
    StatusDone answer;
    int asked = 0;

private:
    std::string name_;
    bool with_pulse_;
};

WorkerInfo Worker(int64_t pid, WorkerState state, uint64_t memory) {
    WorkerInfo info;
    info.pid = pid;
    info.state = state;
    info.memory_bytes = memory;
    return info;
}

struct Fixture {
    using Families = std::map<std::string, prometheus::MetricFamily>;
    Families Collect() const {
        std::vector<prometheus::MetricFamily> families;
        metrics->Collect(families);
        Families named;
        for (auto& family : families) {
            named[family.name] = std::move(family);
        }
        return named;
    }
    void Refresh() {
        metrics->Refresh([this] { ++done; });
    }
    void Begin(const std::vector<WorkerGroup*>& groups) { metrics.emplace(loop, groups); }

    Loop loop{"test"};
    Group http{"http", true};
    Group slow{"http.slow", true};
    Group service{"service", false};
    std::optional<PoolMetrics> metrics;
    int done = 0;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "pool metrics: counts come from the pulse, details from the pool") {
    Begin({&http, &service});
    http.state.total = 3;
    http.state.ready = 1;
    http.state.working = 2;
    Refresh();
    REQUIRE(done == 0);
    REQUIRE(service.asked == 0);
    http.Answer({Worker(10, WorkerState::kReady, 1000), Worker(11, WorkerState::kWorking, 500)});
    REQUIRE(done == 1);
    Families families = Collect();
    REQUIRE(families.size() == 7);
    for (const std::string& name : metrics->Names()) {
        REQUIRE(families.contains(name));
    }
    REQUIRE(families["rr_http_total_workers"].metric.at(0).gauge.value == 3);
    REQUIRE(families["rr_http_workers_ready"].metric.at(0).gauge.value == 1);
    REQUIRE(families["rr_http_workers_working"].metric.at(0).gauge.value == 2);
    REQUIRE(families["rr_http_workers_invalid"].metric.at(0).gauge.value == 0);
    REQUIRE(families["rr_http_workers_memory_bytes"].metric.at(0).gauge.value == 1500);
    const auto& state = families["rr_http_worker_state"].metric.at(1);
    REQUIRE(state.gauge.value == 0);
    REQUIRE(state.label.at(0).value == "11");
    REQUIRE(state.label.at(1).name == "state");
    REQUIRE(state.label.at(1).value == "working");
    REQUIRE(families["rr_http_worker_memory_bytes"].metric.at(0).gauge.value == 1000);
}

TEST_CASE_METHOD(Fixture, "pool metrics: a pool that does not answer is waited for only so long") {
    Begin({&http});
    Refresh();
    http.Answer({Worker(10, WorkerState::kReady, 1000)});
    Refresh();
    REQUIRE(loop.RunUntil([this] { return done == 2; }));
    REQUIRE(Collect()["rr_http_worker_memory_bytes"].metric.at(0).gauge.value == 1000);
    // It still owes that answer: it is not asked again, and its late answer counts.
    Refresh();
    REQUIRE(http.asked == 2);
    http.Answer({Worker(12, WorkerState::kReady, 7)});
    REQUIRE(done == 3);
    REQUIRE(Collect()["rr_http_worker_memory_bytes"].metric.at(0).gauge.value == 7);
}

TEST_CASE_METHOD(Fixture, "pool metrics: scrapes at the same time ask once") {
    Begin({&http, &slow});
    Refresh();
    Refresh();
    http.Answer({});
    REQUIRE(done == 0);
    slow.Answer({Worker(1, WorkerState::kReady, 5)});
    REQUIRE(done == 2);
    REQUIRE(http.asked == 1);
    Families families = Collect();
    REQUIRE(families.contains("rr_http_slow_total_workers"));
    REQUIRE_FALSE(families.contains("rr_http_worker_state"));
}

TEST_CASE_METHOD(Fixture, "pool metrics: without pools a scrape goes on by itself") {
    Begin({&service});
    Refresh();
    REQUIRE(done == 0);
    REQUIRE(loop.RunUntil([this] { return done == 1; }));
    REQUIRE(Collect().empty());
}

TEST_CASE_METHOD(Fixture, "pool metrics: an answer after the end is dropped") {
    Begin({&http});
    Refresh();
    metrics.reset();
    http.Answer({Worker(1, WorkerState::kReady, 5)});
    REQUIRE(done == 0);
}
