#include "plugins/rate_limit/buckets.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace rr::rate_limit {

Buckets::Buckets(const Rate& rate, int64_t keys)
    : rate_(rate),
      // Half full with `keys` of them: then no set in some hundred is crowded.
      sets_(std::max<int64_t>(1, (2 * keys + kSlots - 1) / kSlots)),
      slots_(static_cast<Slot*>(std::calloc(static_cast<size_t>(slots()), sizeof(Slot)))) {
    RR_CHECK(slots_ != nullptr);
}

// With a secret: nobody can choose keys that crowd one set.
int64_t Buckets::SetOf(const Key& key) const {
    const uint64_t hash =
        SipHash(secret_, Bytes(reinterpret_cast<const char*>(key.words.data()), sizeof key.words));
    return static_cast<int64_t>(hash % static_cast<uint64_t>(sets_));
}

// A place for somebody new: the fullest bucket makes room.
Buckets::Slot* Buckets::MakeRoom(Slot* set, const Key& key, int64_t now_ns) {
    Slot* slot = set;
    int64_t least = INT64_MAX;
    for (Slot* each = set; each != set + kSlots && least > 0; ++each) {
        const int64_t debt = rate_.DebtAfter(each->debt, now_ns - each->at_ns);
        if (debt < least) {
            slot = each;
            least = debt;
        }
    }
    if (least > 0) {
        evicted_.fetch_add(1, std::memory_order_relaxed);
    }
    // Who is new may make one request at any rate.
    *slot = {key, std::min(least, rate_.capacity() - rate_.token), now_ns};
    return slot;
}

Grant Buckets::Take(const Key& key, int64_t now_ns) {
    const int64_t set = SetOf(key);
    Slot* const begin = slots_.get() + set * kSlots;
    const std::lock_guard lock(LockOf(set));
    Slot* slot =
        std::find_if(begin, begin + kSlots, [&key](const Slot& each) { return each.key == key; });
    if (slot == begin + kSlots) {
        slot = MakeRoom(begin, key, now_ns);
    }
    const int64_t debt = rate_.DebtAfter(slot->debt, now_ns - slot->at_ns);
    const bool allowed = debt <= rate_.capacity() - rate_.token;
    slot->debt = allowed ? debt + rate_.token : debt;
    slot->at_ns = std::max(slot->at_ns, now_ns);  // loops read the clock before they have the lock
    return {rate_, slot->debt, allowed};
}

}  // namespace rr::rate_limit
