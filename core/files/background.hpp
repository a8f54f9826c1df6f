// Background: where what takes long is done, so that a loop is not held up by it.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

#include "core/api/container.hpp"
#include "core/base/callback.hpp"

namespace rr::files {

class Background {
public:
    // `stop` becomes true when nobody waits for the result any more.
    using Work = Callback<void(const std::atomic<bool>& stop)>;

    virtual ~Background() = default;
    // Runs work once, here or on another thread. Thread: any.
    virtual void Run(Work work) = 0;
};

// At once: for tests.
class Foreground final : public Background {
public:
    void Run(Work work) override { work(std::atomic<bool>(false)); }
};

// On a helper thread of the data loop that asks; at once where there is none.
//
// Thread: Run any; Stop main. A loop must not end before `done` of Stop was called.
class LoopBackground final : public Background {
public:
    explicit LoopBackground(Container& container) : container_(container) {}

    void Run(Work work) override {
        for (size_t i = 0; i < container_.DataLoops(); ++i) {
            if (Loop& loop = container_.DataLoop(i); loop.InLoop()) {
                if (Begin()) {
                    loop.Offload([this, work = std::move(work)]() mutable { work(stop_); },
                                 [this] { End(); });
                }
                return;
            }
        }
        work(stop_);
    }

    // Ends what runs, soon, then calls done; what comes later is not run.
    void Stop(Callback<void()> done) {
        {
            const std::lock_guard lock(mutex_);
            stop_.store(true, std::memory_order_relaxed);
            if (running_ > 0) {
                stopped_ = std::move(done);
                return;
            }
        }
        done();
    }

private:
    bool Begin() {
        const std::lock_guard lock(mutex_);
        const bool stopped = stop_.load(std::memory_order_relaxed);
        running_ += stopped ? 0 : 1;
        return !stopped;
    }
    void End() {
        const std::lock_guard lock(mutex_);
        if (--running_ == 0 && stopped_) {
            container_.MainLoop().Post(std::move(stopped_));
        }
    }

    Container& container_;
    std::atomic<bool> stop_ = false;
    std::mutex mutex_;  // guards the rest; met once for a very large file
    size_t running_ = 0;
    Callback<void()> stopped_;
};

}  // namespace rr::files
