// A request of a known client allocates nothing.
#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "plugins/rate_limit/rate_limit.hpp"

namespace {
size_t allocations = 0;
}

void* operator new(size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
void* operator new(size_t size) {
    if (void* memory = operator new(size, std::nothrow)) {
        return memory;
    }
    throw std::bad_alloc();
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept {
    return operator new(size, tag);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace rr::rate_limit {

TEST_CASE("rate_limit: a known client costs no allocation") {
    RateLimitConfig config;
    config.rate = *Rate::Of(1, std::chrono::hours(1), 1000);
    config.header = "X-Api-Key";
    RateLimit limit(std::move(config));
    for (const char* key : {"", "a key that is longer than what a string keeps in itself"}) {
        RequestForTest request(FieldsForTest::Pairs{{"X-Api-Key", key}});
        request.remote = "2001:db8:1111:2222:3333:4444:5555:6666";
        HttpAnswer answer;
        bool passed = limit.OnRequest(request, answer);
        const size_t before = allocations;
        for (int i = 0; i < 100; ++i) {
            passed = passed && limit.OnRequest(request, answer);
        }
        const size_t after = allocations;
        REQUIRE(passed);
        REQUIRE(after == before);
        REQUIRE(before > 0);
    }
}

}  // namespace rr::rate_limit
