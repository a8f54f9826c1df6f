// A new generation beside the old one. See pool_impl.hpp for the other parts.
//
// The first worker of the new generation boots alone: if it fails, the old generation stays. Then
// the others boot, at most `reset_surge` percent of num_workers at a time. With 100 percent the new
// generation takes over at once when all of it is ready; below that in steps. Old workers finish
// what they run; streams get STOP after reset_timeout.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/pool/pool_impl.hpp"
#include "core/pool/process_stat.hpp"

namespace rr::pool {
namespace {

constexpr uint32_t kCarefulSurge = 25;  // percent, when memory is short
constexpr Duration kStreamTick = std::chrono::seconds(1);

}  // namespace

void Pool::Reset(Done done) {
    AssertInLoop();
    if (closing_) {
        done(Fail(Errc::kClosed, "the server is stopping"));
        return;
    }
    // One that has begun may have read the old code already: this one runs after it, once for all
    // that ask meanwhile.
    reset_next_.push_back(std::move(done));
    if (resetting_ && services_.watch && next_plan_ != nullptr) {
        // What boots has read code that was edited since, and may hang by its fault: not waited for.
        DropNext();
        reset_next_.insert(reset_next_.begin(), std::make_move_iterator(reset_waiting_.begin()),
                           std::make_move_iterator(reset_waiting_.end()));
        resetting_ = false;
    }
    if (!resetting_) {
        BeginReset();
    }
}

void Pool::BeginReset() {
    Changed();
    resetting_ = true;
    reset_waiting_ = std::move(reset_next_);
    reset_next_.clear();
    reset_begun_ = Clock::now();
    if (services_.events->reset) {
        services_.events->reset.Emit({ResetPhase::kBegun, name_});
    }
    Resolve([this](Result<Plan> plan) { OnResetPlan(std::move(plan)); });
}

void Pool::OnResetPlan(Result<Plan> plan) {
    if (closing_ || !resetting_) {
        return;
    }
    if (!plan) {
        boot_error_ = services_.watch ? plan.error().message : boot_error_;
        EndReset(Fail(plan.error().code, std::move(plan.error().message)));
        return;
    }
    if (cfg_.debug) {
        plan_ = std::move(*plan);
        for (auto& worker : workers_) {
            worker->doomed = Leave::kReset;  // what boots now may have read the old code
        }
        EndReset(Result<void>());
        return;
    }
    next_plan_ = std::move(*plan);
    reset_left_ = target_ + extras_;
    reset_surge_ = AffordableSurge();
    BootNext();
}

// The configured percentage, or less if machine or cgroup could not hold a second generation.
uint32_t Pool::AffordableSurge() const {
    if (cfg_.reset_surge < 100) {
        return cfg_.reset_surge;
    }
    uint64_t memory = 0;
    for (const auto& worker : workers_) {
        memory += ReadProcessStat(worker->pid()).resident_bytes;
    }
    if (FreeMemory() >= memory) {
        return cfg_.reset_surge;
    }
    services_.log.Warn("little free memory: the reset runs in steps",
                       {{"plugin", name_}, {"surge_percent", kCarefulSurge}});
    return kCarefulSurge;
}

// Boots as many workers of the new generation as may run beside the others.
void Pool::BootNext() {
    if (!resetting_ || next_plan_ == nullptr || closing_) {
        return;
    }
    auto of_next = [this](const auto& w) { return w->generation() > generation_ && !w->leaving(); };
    auto booting =
        static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(), [&](const auto& w) {
            return of_next(w) && w->booting();
        }));
    auto parked = static_cast<size_t>(std::count_if(
        workers_.begin(), workers_.end(), [&](const auto& w) { return of_next(w) && w->parked; }));
    auto retiring =
        static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(), [this](const auto& w) {
            return w->generation() < generation_ || w->leaving();
        }));
    if (reset_left_ > 0 && booting + parked == 0) {
        // More than num_workers old ones still busy: this reset waits, requests don't.
        if (retiring <= target_ + extras_) {
            --reset_left_;
            Spawn(next_plan_, generation_ + 1);
        }
        return;
    }
    if (parked == 0) {
        return;  // the first one has not proved itself
    }
    size_t at_once = std::max<size_t>(1, (target_ + extras_) * reset_surge_ / 100);
    while (reset_left_ > 0 && booting + parked < at_once) {
        --reset_left_;
        ++booting;
        Spawn(next_plan_, generation_ + 1);
    }
    if (booting == 0) {
        TakeOver(parked);
    }
}

void Pool::OnParked(Worker& worker) {
    worker.parked = true;
    BootNext();
}

// `count` new workers are ready: they serve, and old ones leave in their place.
void Pool::TakeOver(size_t count) {
    bool last = reset_left_ == 0;
    std::vector<Worker*> fresh;
    std::vector<Worker*> old;
    for (auto& worker : workers_) {
        if (worker->parked) {
            fresh.push_back(worker.get());
        } else if (worker->generation() <= generation_ && !worker->leaving() &&
                   worker->doomed != Leave::kReset) {
            old.push_back(worker.get());
        }
    }
    if (last) {
        plan_ = std::move(next_plan_);
        next_plan_ = nullptr;
        ++generation_;
    }
    for (Worker* worker : fresh) {
        worker->parked = false;
        Release(*worker);
    }
    size_t leave = last ? old.size() : std::min(count, old.size());
    for (size_t i = 0; i < leave; ++i) {
        old[i]->doomed = Leave::kReset;
        old[i]->stream_deadline = Clock::now() + cfg_.reset_timeout;
        if (old[i]->booting()) {
            old[i]->Kill(Leave::kReset);
        } else if (!old[i]->busy()) {
            Retire(*old[i], Leave::kReset);
        }
    }
    Feed();  // the new ones have the slots of the old
    if (last) {
        if (!reset_timer_.armed()) {
            reset_timer_.Arm(cfg_.reset_timeout);
        }
        EndReset(Result<void>());
        return;
    }
    BootNext();
}

// The new generation will not take over.
void Pool::DropNext() {
    next_plan_ = nullptr;
    reset_left_ = 0;
    for (auto& worker : workers_) {
        if (worker->generation() <= generation_) {
            continue;
        }
        if (worker->serving() && worker->busy()) {
            worker->doomed = Leave::kReset;  // of a step that has taken over already
        } else {
            RemoveIdle(*worker);
            worker->Kill(Leave::kReset);
        }
    }
}

void Pool::EndReset(Result<void> result) {
    Changed();
    resetting_ = false;
    if (!result) {
        DropNext();
        Maintain();
    } else {
        boot_error_.clear();
    }
    if (services_.events->reset) {
        ResetEvent event{result ? ResetPhase::kDone : ResetPhase::kFailed, name_,
                         (Clock::now() - reset_begun_).count()};
        if (!result) {
            event.reason = result.error().message;
        }
        services_.events->reset.Emit(event);
    }
    std::vector<Done> waiting = std::move(reset_waiting_);
    reset_waiting_.clear();
    for (Done& done : waiting) {
        done(result);
    }
    if (!reset_next_.empty() && !closing_) {
        BeginReset();
    } else {
        for (Done& done : reset_next_) {
            done(Fail(Errc::kClosed, "the server is stopping"));
        }
        reset_next_.clear();
    }
}

// Streams of the old generation have had their time.
void Pool::OnResetTimeout() {
    Instant now = Clock::now();
    bool any = false;
    for (auto& worker : workers_) {
        if (worker->doomed != Leave::kReset || worker->leaving()) {
            continue;
        }
        any = true;
        if (worker->streaming() && now >= worker->stream_deadline) {
            worker->StopStream();
        }
    }
    if (any && !closing_) {
        reset_timer_.Arm(kStreamTick);  // a request may begin to stream only now
    }
}

}  // namespace rr::pool
