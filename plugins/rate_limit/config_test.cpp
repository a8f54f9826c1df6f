#include "plugins/rate_limit/config.hpp"

#include <chrono>

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

namespace rr::rate_limit {

TEST_CASE("rate_limit config: without a section nothing is missing") {
    auto config = config::Read("version: '3'\nhttp: {address: ':80'}\n");
    ParseRateLimitConfig(config->Get("http").Sub("rate_limit"));
    REQUIRE(config->problems().empty());
}

TEST_CASE("rate_limit config: a rate is enough") {
    auto config = config::Read("version: '3'\nhttp: {rate_limit: {rate: 100}}\n");
    const RateLimitConfig c = ParseRateLimitConfig(config->Get("http").Sub("rate_limit"));
    REQUIRE(c.rate.burst == 100);
    REQUIRE(c.rate.token == 10'000'000 * c.rate.refill);
    REQUIRE(c.header.empty());
    REQUIRE(c.ipv6_prefix == 64);
    REQUIRE(c.max_keys == 100'000);
    REQUIRE(c.status == 429);
    REQUIRE(c.headers);
    REQUIRE(c.exempt.empty());
}

TEST_CASE("rate_limit config: every key is read") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  rate_limit: {rate: 3, per: 1m, burst: 7, key: 'header:X-Api-Key',\n"
        "    ipv6_prefix: 56, max_keys: 50, status: 503, headers: false,\n"
        "    exempt: [127.0.0.1, 'fc00::/7']}\n");
    const RateLimitConfig c = ParseRateLimitConfig(config->Get("http").Sub("rate_limit"));
    config->Finish();
    REQUIRE(config->problems().empty());
    REQUIRE(c.rate.burst == 7);
    REQUIRE(c.rate.token == 20'000'000'000 * c.rate.refill);
    REQUIRE(c.header == "X-Api-Key");
    REQUIRE(c.ipv6_prefix == 56);
    REQUIRE(c.max_keys == 50);
    REQUIRE(c.status == 503);
    REQUIRE_FALSE(c.headers);
    REQUIRE(c.exempt.size() == 2);
}

TEST_CASE("rate_limit config: bad values are named with file and line") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  rate_limit:\n    per: 0s\n    key: cookie\n    status: 200\n"
        "    exempt: [office]\n    brust: 3\n");
    ParseRateLimitConfig(config->Get("http").Sub("rate_limit"));
    config->Finish();
    const auto& problems = config->problems();
    REQUIRE(problems.size() == 5);
    REQUIRE(problems[0].find("http.rate_limit.rate: missing") != std::string::npos);
    REQUIRE(problems[1].find(".rr.yaml:4: http.rate_limit.per: ") == 0);
    REQUIRE(problems[2] ==
            ".rr.yaml:5: http.rate_limit.key: must be ip or header:NAME, not cookie");
    REQUIRE(problems[3].find(".rr.yaml:6: http.rate_limit.status: ") == 0);
    REQUIRE(problems[4].ends_with(": office"));
    REQUIRE(config->warnings().size() == 1);
    REQUIRE(config->warnings()[0].find("did you mean burst?") != std::string::npos);
}

TEST_CASE("rate_limit config: a bucket that would not fit is refused") {
    auto config = config::Read(
        "version: '3'\nhttp: {rate_limit: {rate: 1, per: 8000h, burst: 1000000000}}\n");
    ParseRateLimitConfig(config->Get("http").Sub("rate_limit"));
    REQUIRE(config->problems().size() == 1);
    REQUIRE(config->problems()[0].find("http.rate_limit.burst: is too large") != std::string::npos);
}

}  // namespace rr::rate_limit
