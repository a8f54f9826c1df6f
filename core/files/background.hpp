// Background: where what takes long is done, so that a loop is not held up by it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
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
class LoopBackground final : public Background {
public:
    explicit LoopBackground(Container& container) : container_(container) {}
    ~LoopBackground() override { Stop(); }

    void Run(Work work) override {
        for (size_t i = 0; i < container_.DataLoops(); ++i) {
            if (Loop& loop = container_.DataLoop(i); loop.InLoop()) {
                loop.Offload([work = std::move(work), stop = stop_]() mutable { work(*stop); },
                             [] {});
                return;
            }
        }
        work(*stop_);
    }
    // Ends what runs, soon. Thread: any.
    void Stop() { stop_->store(true, std::memory_order_relaxed); }

private:
    Container& container_;
    const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace rr::files
