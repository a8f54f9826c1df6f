// Supervision: limits on a worker's life, and as many workers as the load asks for. See
// pool_impl.hpp for the other parts.
#include <algorithm>

#include "core/pool/pool_impl.hpp"
#include "core/pool/process_stat.hpp"

namespace rr::pool {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

}  // namespace

// ---- limits

void Pool::OnWatchTick() {
    const PoolConfig::Supervisor& limits = cfg_.supervisor;
    Instant now = Clock::now();
    for (size_t i = 0; i < workers_.size(); ++i) {
        Worker& worker = *workers_[i];
        if (!worker.serving() || worker.doomed != Leave::kNo || worker.parked) {
            continue;
        }
        Leave why = Leave::kNo;
        if (limits.ttl > Duration::zero() && now - worker.created() >= limits.ttl) {
            why = Leave::kTtl;
        } else if (limits.max_worker_memory > 0 && ReadProcessStat(worker.pid()).resident_bytes >=
                                                       limits.max_worker_memory * kMiB) {
            why = Leave::kMemory;
        } else if (limits.idle_ttl > Duration::zero() && !worker.busy() && worker.execs() > 0 &&
                   now - worker.idle_since() >= limits.idle_ttl) {
            why = Leave::kIdleTtl;
        }
        if (why == Leave::kNo) {
            continue;
        }
        if (worker.busy()) {
            worker.SetInvalid();
            Changed();
        }
        Doom(worker, why);
    }
    RetireReplaced();
}

// ---- growth on demand

void Pool::Grow() {
    if (closing_ || boot_timer_.armed() || !cfg_.dynamic) {
        return;
    }
    bool booting =
        std::any_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->booting(); });
    if (booting) {
        return;  // help is on its way already
    }
    size_t more = std::min<size_t>(
        cfg_.allocator.spawn_rate,
        cfg_.allocator.max_workers - std::min<size_t>(extras_, cfg_.allocator.max_workers));
    extras_ += more;
    Maintain();
}

void Pool::OnShrinkTick() {
    Instant now = Clock::now();
    for (Worker* idle = LongestIdle();
         extras_ > 0 && idle != nullptr && now - idle->idle_since() >= cfg_.allocator.idle_timeout;
         idle = LongestIdle()) {
        --extras_;
        Retire(*idle, Leave::kShrink);
    }
}

void Pool::EnsureDebugWorkers() {
    if (closing_ || plan_ == nullptr) {
        return;
    }
    auto booting = static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(),
                                                     [](const auto& w) { return w->booting(); }));
    while (booting < queue_.size() && workers_.size() < debug_limit_) {
        Spawn(plan_, generation_);
        ++booting;
    }
}

}  // namespace rr::pool
