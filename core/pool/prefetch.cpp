// Prefetch: a capable worker gets its next request before it has answered the current one, so that
// it never waits for us between two. See pool_impl.hpp for the other parts.
#include <algorithm>

#include "core/pool/pool_impl.hpp"

namespace rr::pool {
namespace {

constexpr size_t kPrefetchFrame = 4096;  // PIPE_BUF: such a write is never split
constexpr Duration kPrefetchMean = std::chrono::milliseconds(1);
constexpr Duration kPrefetchPatience = std::chrono::milliseconds(20);
constexpr Duration kPrefetchTick = std::chrono::milliseconds(10);
constexpr size_t kPrefetchLooks = 8;  // workers looked at for one request

}  // namespace

bool Pool::MayPrefetch(const Worker& worker, Instant now) const {
    return worker.serving() && worker.numbered() && worker.open_count() == 1 &&
           !worker.streaming() && !worker.awaiting_fence() && worker.doomed == Leave::kNo &&
           !worker.parked && mean_run_ns_ < static_cast<double>(kPrefetchMean.count()) &&
           now - worker.started() < kPrefetchPatience &&
           (worker.max_execs == 0 || worker.max_execs >= worker.execs() + 2);
}

void Pool::PrefetchFor(Worker& worker) {
    if (queue_.open().empty() || !prefetches_ || !idle_.empty()) {
        return;
    }
    Entry* entry = queue_.open().front();
    const Job& job = entry->job;
    if (!job.replayable || job.event || entry->deaths > 0 || entry->attached() ||
        job.body_file >= 0 || job.context_size + job.body_size + kHeadroom > kPrefetchFrame ||
        !MayPrefetch(worker, Clock::now()) || !worker.Prefetch(*entry)) {
        return;
    }
    queue_.Remove(entry);
    if (!prefetch_timer_.armed()) {
        prefetch_timer_.Repeat(kPrefetchTick);
    }
}

void Pool::PrefetchAny() {
    if (!prefetches_ || workers_.empty()) {
        return;
    }
    for (size_t i = 0; i < std::min(kPrefetchLooks, workers_.size()) && !queue_.open().empty();
         ++i) {
        prefetch_cursor_ = (prefetch_cursor_ + 1) % workers_.size();
        Worker& worker = *workers_[prefetch_cursor_];
        if (worker.numbered() && worker.open_count() == 1) {
            PrefetchFor(worker);
        }
    }
}

// A prefetched request behind a slow one is offered to others as well; the first answer wins.
void Pool::OnPrefetchTimer() {
    Instant now = Clock::now();
    bool any = false;
    for (auto& worker : workers_) {
        if (worker->open_count() < 2) {
            continue;
        }
        any = true;
        Entry* entry = worker->open(1);
        bool slow = worker->streaming() || now - worker->started() > kPrefetchPatience;
        if (slow && entry != nullptr && !entry->in_queue && !entry->cancelled &&
            entry->on[1] == nullptr && entry->deaths == 0) {
            Requeue(*entry);
        }
    }
    if (!any) {
        prefetch_timer_.Disarm();
    }
    Feed();
}

}  // namespace rr::pool
