#include "plugins/rate_limit/buckets.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace rr::rate_limit {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kSecond = 1'000'000'000;

Key K(uint64_t number) { return {{number, 7}}; }

// How many of `tries` requests at `now` pass.
int Passed(Buckets& buckets, const Key& key, int64_t now, int tries = 1000) {
    int passed = 0;
    for (int i = 0; i < tries; ++i) {
        passed += buckets.Take(key, now).allowed ? 1 : 0;
    }
    return passed;
}

}  // namespace

TEST_CASE("rate_limit: a burst passes at once, then the rate") {
    Buckets buckets(*Rate::Of(100, 1s, 200), 10);
    const int64_t t = 50 * kSecond;
    REQUIRE(Passed(buckets, K(1), t) == 200);
    REQUIRE(Passed(buckets, K(1), t) == 0);
    REQUIRE(Passed(buckets, K(1), t + kSecond / 100 - 1) == 0);
    REQUIRE(Passed(buckets, K(1), t + kSecond / 100) == 1);
    REQUIRE(Passed(buckets, K(1), t + kSecond) == 99);
    REQUIRE(Passed(buckets, K(1), t + 2 * kSecond) == 100);
    REQUIRE(Passed(buckets, K(1), t + 1000 * kSecond) == 200);
}

TEST_CASE("rate_limit: each key has its own bucket") {
    Buckets buckets(*Rate::Of(1, 1s, 1), 10);
    REQUIRE(Passed(buckets, K(1), 1) == 1);
    REQUIRE(Passed(buckets, K(2), 1) == 1);
    REQUIRE(Passed(buckets, {}, 1) == 1);  // all zeros are a key like others
    REQUIRE(Passed(buckets, K(1), 1) == 0);
}

// 1/3 s is no whole number of nanoseconds: after a day of single steps not one token may be missing
// or too many.
TEST_CASE("rate_limit: odd rates are exact") {
    Buckets buckets(*Rate::Of(3, 1s, 1), 10);
    int64_t passed = 0;
    for (int64_t ms = 0; ms < 3'000'000; ++ms) {
        passed += buckets.Take(K(1), ms * 1'000'000).allowed ? 1 : 0;
    }
    // A token at 333.34 ms is taken at 334; the debt then begins there.
    REQUIRE(passed == 3'000'000 / 334 + 1);

    Buckets tight(*Rate::Of(7, 1s, 7), 10);
    REQUIRE(Passed(tight, K(1), 0) == 7);
    for (int64_t second = 1; second < 10'000; ++second) {
        REQUIRE(Passed(tight, K(1), second * kSecond, 10) == 7);
    }
}

TEST_CASE("rate_limit: what is left and when there is more") {
    Buckets buckets(*Rate::Of(2, 1s, 4), 10);
    Grant grant = buckets.Take(K(1), 0);
    REQUIRE(grant.allowed);
    REQUIRE(grant.left() == 3);
    REQUIRE(grant.retry_ns() == 0);
    REQUIRE(grant.full_ns() == kSecond / 2);
    Passed(buckets, K(1), 0);
    grant = buckets.Take(K(1), kSecond / 10);
    REQUIRE_FALSE(grant.allowed);
    REQUIRE(grant.left() == 0);
    REQUIRE(grant.retry_ns() == kSecond / 10 * 4);
    REQUIRE(grant.full_ns() == kSecond / 10 * 19);
    // Who waits as long as he was told is let in.
    REQUIRE(buckets.Take(K(1), kSecond / 10 * 5).allowed);
}

TEST_CASE("rate_limit: the largest bucket does not overflow") {
    const auto most = Rate::Of(1, 1s, Rate::kMostUnits / kSecond);
    REQUIRE(most);
    REQUIRE_FALSE(Rate::Of(1, 1s, Rate::kMostUnits / kSecond + 1));
    Buckets buckets(*most, 10);
    REQUIRE(buckets.Take(K(1), 0).left() == most->burst - 1);
    REQUIRE(buckets.Take(K(1), INT64_MAX).left() == most->burst - 1);
    const auto fast = Rate::Of(1'000'000'000, 1ms, 1'000'000'000);
    REQUIRE(fast);
    REQUIRE(Buckets(*fast, 1).Take(K(1), 1).left() == 999'999'999);
}

TEST_CASE("rate_limit: a clock that another loop read a moment earlier gives nothing") {
    Buckets buckets(*Rate::Of(1, 1s, 2), 10);
    REQUIRE(buckets.Take(K(1), 10 * kSecond).left() == 1);
    REQUIRE(buckets.Take(K(1), 9 * kSecond).left() == 0);
    REQUIRE_FALSE(buckets.Take(K(1), 10 * kSecond + kSecond / 2).allowed);
    REQUIRE(buckets.Take(K(1), 11 * kSecond).allowed);
}

TEST_CASE("rate_limit: buckets that are full again make room without loss") {
    Buckets buckets(*Rate::Of(1, 1s, 1), 8);
    for (uint64_t i = 0; i < 100'000; ++i) {
        REQUIRE(buckets.Take(K(i), static_cast<int64_t>(i) * kSecond).allowed);
    }
    REQUIRE(buckets.evicted() == 0);
}

TEST_CASE("rate_limit: as many keys as were asked for are told apart") {
    constexpr uint64_t kKeys = 10'000;
    Buckets buckets(*Rate::Of(1, 1h, 2), kKeys);
    for (uint64_t i = 0; i < kKeys; ++i) {
        REQUIRE(buckets.Take(K(i), 0).allowed);
    }
    REQUIRE(buckets.evicted() < kKeys / 200);
}

// Millions of keys (a botnet, an IPv6 network) come once each; the one that is held back must stay
// so, however full the table is.
TEST_CASE("rate_limit: new keys never push out one that is held back") {
    Buckets buckets(*Rate::Of(1, 1h, 3), 100);
    REQUIRE(Passed(buckets, K(1'000'000'000), 0) == 3);
    for (uint64_t i = 0; i < 300; ++i) {
        REQUIRE(buckets.Take(K(i), 1).allowed);  // who is new gets in
        REQUIRE_FALSE(buckets.Take(K(1'000'000'000), 1).allowed);
    }
    REQUIRE(buckets.evicted() > 0);
}

// Ever new keys would be ever new bursts.
TEST_CASE("rate_limit: in a full table a new key takes over the debt of the one that left") {
    Buckets buckets(*Rate::Of(1, 1h, 50), 1);
    int64_t passed = 0;
    for (uint64_t i = 0; i < 1000; ++i) {
        passed += Passed(buckets, K(i), 0, 50);
    }
    // The bursts of the slots, and one request of each key; not 50,000.
    REQUIRE(passed <= buckets.slots() * 50 + 1000);
}

TEST_CASE("rate_limit: loops share the buckets and count each request once") {
    Buckets buckets(*Rate::Of(1, 1h, 5000), 100);
    std::atomic<int> passed{0};
    std::vector<std::thread> loops;
    for (int i = 0; i < 4; ++i) {
        loops.emplace_back([&] { passed += Passed(buckets, K(1), 5, 2500); });
    }
    for (std::thread& loop : loops) {
        loop.join();
    }
    REQUIRE(passed == 5000);
}

}  // namespace rr::rate_limit
