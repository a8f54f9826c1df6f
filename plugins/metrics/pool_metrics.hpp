// PoolMetrics: the workers of every pool. Counts come from the pulses and are always there; state and
// memory of single workers are asked for at each scrape, and shown as they were last known if the
// pool's loop does not answer within kPatience.
//
// Thread: main.
// Owns:   what it last knew. Borrows the groups, which outlive the endpoint that asks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/api/worker_group.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/time.hpp"
#include "core/net/timer.hpp"

namespace rr::metrics {

class PoolMetrics {
public:
    static constexpr Duration kPatience = std::chrono::milliseconds(100);

    // groups: those without a pulse are left out.
    PoolMetrics(Loop& loop, const std::vector<WorkerGroup*>& groups);
    ~PoolMetrics();
    PoolMetrics(const PoolMetrics&) = delete;
    PoolMetrics& operator=(const PoolMetrics&) = delete;

    // Asks every pool; done: when all have answered or kPatience has passed.
    void Refresh(Callback<void()> done);

    void Collect(std::vector<prometheus::MetricFamily>& families) const;

    // Of every family that Collect may write.
    std::vector<std::string> Names() const;

private:
    struct Pool {
        WorkerGroup* group;
        std::string prefix;  // rr_http
        std::string total_help;
        bool asked = false;  // and not answered yet, maybe since an earlier round
        std::vector<WorkerInfo> workers;
    };

    void OnStatus(size_t pool, Result<GroupStatus> status);
    void Finish();

    std::vector<Pool> pools_;
    net::Timer patience_;
    size_t missing_ = 0;  // answers of this round
    std::vector<Callback<void()>> waiting_;
    std::shared_ptr<PoolMetrics*> self_;  // null in answers that come after us
};

}  // namespace rr::metrics
