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

Grant Buckets::Describe(int64_t debt, bool allowed) const {
    Grant grant;
    grant.allowed = allowed;
    grant.left = rate_.TokensLeft(debt);
    grant.retry_ns = rate_.Until(debt, rate_.capacity() - rate_.token);
    grant.full_ns = rate_.Until(debt, 0);
    return grant;
}

Grant Buckets::Take(const Key& key, int64_t now_ns) {
    const int64_t set = SetOf(key);
    Slot* const begin = slots_.get() + set * kSlots;
    const std::lock_guard lock(LockOf(set));
    Slot* slot = begin;
    int64_t debt = INT64_MAX;
    for (Slot* each = begin; each != begin + kSlots; ++each) {
        const int64_t now = rate_.DebtAfter(each->debt, now_ns - each->at_ns);
        if (each->key == key) {
            slot = each;
            debt = now;
            break;
        }
        if (now < debt) {  // the fullest makes room
            slot = each;
            debt = now;
        }
    }
    if (slot->key != key) {
        if (debt > 0) {
            evicted_.fetch_add(1, std::memory_order_relaxed);
        }
        slot->key = key;
        // Who is new may make one request at any rate.
        debt = std::min(debt, rate_.capacity() - rate_.token);
        slot->at_ns = now_ns;
    }
    const bool allowed = debt <= rate_.capacity() - rate_.token;
    slot->debt = allowed ? debt + rate_.token : debt;
    slot->at_ns = std::max(slot->at_ns, now_ns);  // loops read the clock before they have the lock
    return Describe(slot->debt, allowed);
}

Grant Buckets::Look(const Key& key, int64_t now_ns) const {
    const int64_t set = SetOf(key);
    const Slot* const begin = slots_.get() + set * kSlots;
    const std::lock_guard lock(LockOf(set));
    const Slot* const found =
        std::find_if(begin, begin + kSlots, [&key](const Slot& each) { return each.key == key; });
    const int64_t debt =
        found == begin + kSlots ? 0 : rate_.DebtAfter(found->debt, now_ns - found->at_ns);
    return Describe(debt, true);
}

}  // namespace rr::rate_limit
