// Buckets: a token bucket for each key that was seen lately, in memory that never grows.
//
//   key --hash--> set of 16 slots: [key, debt, when] ...
//
// A bucket that is full again says nothing any more, so its slot is free: there is nothing to clean
// up. Where none of the set's slots is free, the fullest bucket makes room, and the new key takes its
// debt over: new keys push out those that were used least, never those that are being held back, and
// a client gains nothing by coming under ever new keys but the one request that each may make.
//
// Thread: any, several at once.
// Owns:   slots for twice `keys`; the system gives the memory as it is used. Allocates nothing after
//         that.
// Fails:  never.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "core/base/sip_hash.hpp"
#include "plugins/rate_limit/rate.hpp"

namespace rr::rate_limit {

struct Key {
    std::array<uint64_t, 2> words{};
    bool operator==(const Key&) const = default;
};

// What became of a request. Most are allowed, and then nobody asks for more: figures are worked out
// when they are.
class Grant {
public:
    Grant(const Rate& rate, int64_t debt, bool is_allowed)
        : allowed(is_allowed), rate_(&rate), debt_(debt) {}

    bool allowed;
    int64_t left() const { return rate_->TokensLeft(debt_); }  // tokens
    // Until there is a token; 0 if there is one.
    int64_t retry_ns() const { return rate_->Until(debt_, rate_->capacity() - rate_->token); }
    // Until all are there.
    int64_t full_ns() const { return rate_->Until(debt_, 0); }
    int64_t debt() const { return debt_; }

private:
    const Rate* rate_;  // the buckets'
    int64_t debt_;
};

class Buckets {
public:
    Buckets(const Rate& rate, int64_t keys);

    // Takes a token, if there is one. now_ns: of a clock that never goes back.
    Grant Take(const Key& key, int64_t now_ns);

    // How often a bucket that was not full made room for another.
    uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
    int64_t slots() const { return sets_ * kSlots; }

private:
    static constexpr int64_t kSlots = 16;  // of a set
    static constexpr size_t kLocks = 64;

    struct Slot {
        Key key;
        int64_t debt;  // at `at_ns`; 0: free
        int64_t at_ns;
    };
    struct Free {
        void operator()(Slot* slots) const { std::free(slots); }
    };
    struct alignas(64) Lock {
        std::mutex mutex;
    };

    int64_t SetOf(const Key& key) const;
    Slot* MakeRoom(Slot* set, const Key& key, int64_t now_ns);
    std::mutex& LockOf(int64_t set) { return locks_[static_cast<size_t>(set) % kLocks].mutex; }

    const Rate rate_;
    const int64_t sets_;
    const SipKey secret_ = SipKey::Random();
    const std::unique_ptr<Slot[], Free> slots_;  // set by set
    std::array<Lock, kLocks> locks_;             // a set has one of them
    std::atomic<uint64_t> evicted_{0};
};

}  // namespace rr::rate_limit
