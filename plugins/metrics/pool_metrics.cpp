#include "plugins/metrics/pool_metrics.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "plugins/metrics/exposition.hpp"

namespace rr::metrics {
namespace {

using prometheus::MetricType;

// RoadRunner's words: dashboards look at them.
std::string TotalHelp(std::string_view group) {
    std::string name(group);
    if (group == "http") {
        name = "HTTP";
    }
    return "Total number of workers used by the " + name + " plugin";
}

// The plugin of a group `http.slow` is `http`, but a dot may not stand in a metric's name.
std::string PrefixOf(std::string_view group) {
    std::string prefix = "rr_" + std::string(group);
    std::replace_if(prefix.begin(), prefix.end(), [](char c) { return c == '.' || c == '-'; }, '_');
    return prefix;
}

}  // namespace

PoolMetrics::PoolMetrics(Loop& loop, const std::vector<WorkerGroup*>& groups)
    : patience_(loop, [this] { Finish(); }), self_(std::make_shared<PoolMetrics*>(this)) {
    for (WorkerGroup* group : groups) {
        if (group->pulse() != nullptr) {
            pools_.push_back(
                {group, PrefixOf(group->group_name()), TotalHelp(group->group_name()), false, {}});
        }
    }
}

PoolMetrics::~PoolMetrics() { *self_ = nullptr; }

void PoolMetrics::Refresh(Callback<void()> done) {
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) {
        return;  // joins the round that runs
    }
    patience_.Arm(kPatience);
    missing_ = pools_.size();
    for (size_t i = 0; i < pools_.size(); ++i) {
        if (pools_[i].asked) {
            continue;  // its loop still owes the answer of an earlier round
        }
        pools_[i].asked = true;
        pools_[i].group->Status([self = self_, i](Result<GroupStatus> status) {
            if (*self != nullptr) {
                (*self)->OnStatus(i, std::move(status));
            }
        });
    }
    if (pools_.empty()) {
        patience_.Arm(Duration::zero());  // not inside this call
    }
}

void PoolMetrics::OnStatus(size_t i, Result<GroupStatus> status) {
    Pool& pool = pools_[i];
    pool.asked = false;
    pool.workers = status ? std::move(status->workers) : std::vector<WorkerInfo>();
    if (missing_ > 0 && --missing_ == 0) {
        Finish();
    }
}

void PoolMetrics::Finish() {
    patience_.Disarm();
    missing_ = 0;
    auto waiting = std::move(waiting_);
    waiting_.clear();
    for (auto& done : waiting) {
        done();
    }
}

std::vector<std::string> PoolMetrics::Names() const {
    std::vector<std::string> names;
    for (const Pool& pool : pools_) {
        for (const char* end :
             {"_total_workers", "_workers_memory_bytes", "_workers_ready", "_workers_working",
              "_workers_invalid", "_worker_state", "_worker_memory_bytes"}) {
            names.push_back(pool.prefix + end);
        }
    }
    return names;
}

void PoolMetrics::Collect(std::vector<prometheus::MetricFamily>& families) const {
    for (const Pool& pool : pools_) {
        const GroupPulse& pulse = *pool.group->pulse();
        const auto gauge = [&](const char* end, const char* help, double value) {
            families.push_back(Single(pool.prefix + end, help, MetricType::Gauge, value));
        };
        const auto count = [](const std::atomic<uint32_t>& number) {
            return static_cast<double>(number.load(std::memory_order_relaxed));
        };
        gauge("_total_workers", pool.total_help.c_str(), count(pulse.total));
        gauge("_workers_ready", "Workers that wait for a request", count(pulse.ready));
        gauge("_workers_working", "Workers that run a request", count(pulse.working));
        gauge("_workers_invalid", "Workers that will be replaced after their request",
              count(pulse.invalid));

        prometheus::MetricFamily state{pool.prefix + "_worker_state",
                                       "State of each worker, as a label; the value is always 0",
                                       MetricType::Gauge,
                                       {}};
        prometheus::MetricFamily memory{pool.prefix + "_worker_memory_bytes",
                                        "Resident memory of each worker",
                                        MetricType::Gauge,
                                        {}};
        double all = 0;
        for (const WorkerInfo& worker : pool.workers) {
            const std::string pid = std::to_string(worker.pid);
            const auto bytes = static_cast<double>(worker.memory_bytes);
            all += bytes;
            state.metric.push_back(Sample(MetricType::Gauge, 0));
            state.metric.back().label = {{"pid", pid}, {"state", Describe(worker.state)}};
            memory.metric.push_back(Sample(MetricType::Gauge, bytes));
            memory.metric.back().label = {{"pid", pid}};
        }
        gauge("_workers_memory_bytes", "Resident memory of all workers", all);
        if (!pool.workers.empty()) {
            families.push_back(std::move(state));
            families.push_back(std::move(memory));
        }
    }
}

}  // namespace rr::metrics
