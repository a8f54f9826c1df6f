#include "plugins/cache/store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.hpp"

namespace rr::cache {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

std::shared_ptr<const Entry> Store::Find(const HttpRequest& request, Instant now) {
    const Resource wanted{request.secure(), request.host(), request.target()};
    const uint64_t hash = wanted.Hash();
    std::lock_guard lock(mutex_);
    auto [at, end] = index_.equal_range(hash);
    while (at != end) {
        auto next = std::next(at);
        const std::shared_ptr<const Entry>& entry = *at->second;
        if (entry->resource() == wanted) {
            if (entry->expires <= now) {
                Remove(at);
            } else if (Suits(entry->vary, request)) {
                order_.splice(order_.begin(), order_, at->second);
                return entry;
            }
        }
        at = next;
    }
    return nullptr;
}

void Store::Insert(std::shared_ptr<const Entry> entry, int64_t begun_unix_ns) {
    const int64_t size = entry->Size();
    const uint64_t hash = entry->resource().Hash();
    std::lock_guard lock(mutex_);
    if (begun_unix_ns <= std::max(cleared_unix_ns_, DroppedAt(hash)) || size > max_memory_) {
        return;
    }
    MakeWay(*entry, hash);
    while (bytes() + size > max_memory_) {
        Evict(*order_.back());
    }
    order_.push_front(std::move(entry));
    index_.emplace(hash, order_.begin());
    entries_.fetch_add(1, kRelaxed);
    bytes_.fetch_add(size, kRelaxed);
}

// Takes out what the new entry replaces, and the oldest of its variants if there are too many.
void Store::MakeWay(const Entry& entry, uint64_t hash) {
    auto [at, end] = index_.equal_range(hash);
    size_t variants = 0;
    Index::iterator oldest = end;
    while (at != end) {
        auto next = std::next(at);
        const Entry& other = **at->second;
        if (other.resource() == entry.resource() && other.vary == entry.vary) {
            Remove(at);
        } else {
            ++variants;
            if (oldest == end || other.made < (*oldest->second)->made) {
                oldest = at;
            }
        }
        at = next;
    }
    if (variants >= kMostVariants) {
        evicted_.fetch_add(1, kRelaxed);
        Remove(oldest);
    }
}

uint64_t Store::Clear(std::string_view prefix, int64_t now_unix_ns) {
    std::lock_guard lock(mutex_);
    cleared_unix_ns_ = now_unix_ns;
    uint64_t count = 0;
    for (auto at = index_.begin(); at != index_.end();) {
        auto next = std::next(at);
        if (PathOf((*at->second)->target).starts_with(prefix)) {
            Remove(at);
            ++count;
        }
        at = next;
    }
    return count;
}

void Store::Drop(const Resource& resource, int64_t now_unix_ns) {
    const uint64_t hash = resource.Hash();
    std::lock_guard lock(mutex_);
    DroppedAt(hash) = now_unix_ns;
    auto [at, end] = index_.equal_range(hash);
    while (at != end) {
        auto next = std::next(at);
        if ((*at->second)->resource() == resource) {
            Remove(at);
        }
        at = next;
    }
}

void Store::Remove(Index::iterator at) {
    bytes_.fetch_sub((*at->second)->Size(), kRelaxed);
    entries_.fetch_sub(1, kRelaxed);
    order_.erase(at->second);
    index_.erase(at);
}

void Store::Evict(const Entry& entry) {
    auto [at, end] = index_.equal_range(entry.resource().Hash());
    for (; at != end; ++at) {
        if (at->second->get() == &entry) {
            evicted_.fetch_add(1, kRelaxed);
            Remove(at);
            return;
        }
    }
    RR_CHECK(false);  // each entry of order_ is in index_
}

}  // namespace rr::cache
