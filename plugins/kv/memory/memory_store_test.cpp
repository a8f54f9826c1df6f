#include "plugins/kv/memory/memory_store.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/kv/conformance_for_test.hpp"

using namespace rr;
using namespace rr::kv;
using namespace std::chrono_literals;

TEST_CASE("kv: memory keeps the promises of a store") {
    Loop loop("main");
    Bench bench(loop, MakeMemoryStore(0, loop));
    Conform(bench, {.endless_in_ttl = true,
                    .empty_key = true,
                    .no_timeout = "timeout for MExpire is empty or key is empty"});
}

TEST_CASE("kv: memory with a bound keeps the promises of a store") {
    Loop loop("main");
    Bench bench(loop, MakeMemoryStore(4 << 20, loop));
    Conform(bench, {.endless_in_ttl = true,
                    .empty_key = true,
                    .no_timeout = "timeout for MExpire is empty or key is empty"});
}

TEST_CASE("kv: memory gives back what ran out though nobody asks for it") {
    Loop loop("main");
    Bench bench(loop, MakeMemoryStore(0, loop));
    const int64_t soon = FromNow(30ms);
    for (int i = 0; i < 5000; ++i) {
        bench.Set("k" + std::to_string(i), "v", soon);
    }
    bench.Set("stays", "v");
    REQUIRE(loop.RunUntil([&] { return bench.store->stats().keys == 1u; }));
    REQUIRE(bench.store->stats().expired <= 5000);
    REQUIRE(bench.Get("stays") == "v");
}

TEST_CASE("kv: memory refuses a value beyond its bound, and the rest of the call with it") {
    Loop loop("main");
    Bench bench(loop, MakeMemoryStore(64 << 10, loop));
    const std::string large(70 << 10, 'x');
    auto answer = bench.Run(Operation::kSet, {{"a", "1"}, {"b", large}});
    REQUIRE(answer.error == "the value is larger than max_memory");
    REQUIRE_FALSE(bench.Has("a"));
}

TEST_CASE("kv: memory answers other calls while a million keys of a clear are released") {
    Loop loop("main");
    Bench bench(loop, MakeMemoryStore(0, loop));
    std::vector<std::string> keys;
    for (int i = 0; i < 1'000'000; ++i) {
        const std::string key = std::to_string(i);
        const Item item{key, "value"};
        bench.store->Run(Operation::kSet, {&item, 1}, [](Result<Found>) {});
    }
    REQUIRE(bench.store->stats().keys == 1'000'000u);
    bool done = false;
    bench.store->Run(Operation::kClear, {}, [&](Result<Found>) { done = true; });
    REQUIRE(done);
    REQUIRE(bench.store->stats().keys == 0u);
    REQUIRE(bench.store->stats().bytes == 0u);
    // Each turn of the loop releases a little: none is longer than the others by much.
    int turns = 0;
    REQUIRE(loop.RunUntil([&] { return ++turns > 300; }));
    bench.Set("a", "1");
    REQUIRE(bench.Get("a") == "1");
}
