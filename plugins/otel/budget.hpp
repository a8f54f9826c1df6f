// Budget: how many spans may wait for their export, and what became of the others.
//
// Thread: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace rr::otel {

class Budget {
public:
    explicit Budget(uint64_t limit) : limit_(limit) {}

    // False: too many wait; they count as dropped.
    bool Take(uint64_t spans) {
        if (waiting_.fetch_add(spans, std::memory_order_relaxed) + spans > limit_) {
            waiting_.fetch_sub(spans, std::memory_order_relaxed);
            Drop(spans);
            return false;
        }
        return true;
    }
    void Give(uint64_t spans) { waiting_.fetch_sub(spans, std::memory_order_relaxed); }

    void Drop(uint64_t spans) { dropped_.fetch_add(spans, std::memory_order_relaxed); }
    void Export(uint64_t spans) { exported_.fetch_add(spans, std::memory_order_relaxed); }

    uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
    uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    uint64_t exported() const { return exported_.load(std::memory_order_relaxed); }

private:
    const uint64_t limit_;
    std::atomic<uint64_t> waiting_{0};
    std::atomic<uint64_t> dropped_{0};
    std::atomic<uint64_t> exported_{0};
};

}  // namespace rr::otel
