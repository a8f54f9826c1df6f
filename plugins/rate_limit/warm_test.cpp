// A request of a known client allocates nothing.
#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/base/allocations_for_test.hpp"
#include "plugins/rate_limit/rate_limit.hpp"

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
        const size_t before = AllocationsSoFar();
        for (int i = 0; i < 100; ++i) {
            passed = passed && limit.OnRequest(request, answer);
        }
        const size_t after = AllocationsSoFar();
        REQUIRE(passed);
        REQUIRE(after == before);
        REQUIRE(before > 0);
    }
}

}  // namespace rr::rate_limit
