// Store: the answers that are kept, within a bound of memory; what was not asked for longest goes
// first.
//
// Thread: any; one lock, held for the time of a look-up, never while a body is copied.
// Owns:   the entries; one that was handed out lives on until it is let go.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "core/base/time.hpp"
#include "plugins/cache/entry.hpp"

namespace rr::cache {

class Store {
public:
    // Of one resource, by Vary; the oldest one makes room.
    static constexpr size_t kMostVariants = 32;

    explicit Store(int64_t max_memory) : max_memory_(max_memory) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // The entry that suits the request and is fresh; null if there is none.
    std::shared_ptr<const Entry> Find(const HttpRequest& request, Instant now);

    // Keeps the answer to a request that began at `begun`, in place of what was kept for such
    // requests; not if it was cleared or dropped since then: it may be an answer of yesterday's code.
    void Insert(std::shared_ptr<const Entry> entry, int64_t begun_unix_ns);

    // Drops what was kept of targets whose path begins with `prefix`; how many entries these were.
    uint64_t Clear(std::string_view prefix, int64_t now_unix_ns);

    // Drops all variants of one resource, which has changed. An answer to a request for it that began
    // before is not kept either.
    void Drop(const Resource& resource, int64_t now_unix_ns);

    bool empty() const { return entries() == 0; }
    int64_t entries() const { return entries_.load(std::memory_order_relaxed); }
    int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }

private:
    using Order = std::list<std::shared_ptr<const Entry>>;
    using Index = std::unordered_multimap<uint64_t, Order::iterator>;

    void Remove(Index::iterator at);
    void Evict(const Entry& entry);
    void MakeWay(const Entry& entry, uint64_t hash);
    int64_t& DroppedAt(uint64_t hash) { return dropped_unix_ns_[hash % dropped_unix_ns_.size()]; }

    const int64_t max_memory_;
    std::mutex mutex_;
    Order order_;  // the one that was asked for last is in front
    Index index_;
    int64_t cleared_unix_ns_ = 0;
    // When something was dropped, by hash: where two resources share a place, some answer is not kept
    // that could have been.
    std::array<int64_t, 1024> dropped_unix_ns_{};
    // Written under the lock.
    std::atomic<int64_t> entries_{0};
    std::atomic<int64_t> bytes_{0};
    std::atomic<uint64_t> evicted_{0};
};

}  // namespace rr::cache
