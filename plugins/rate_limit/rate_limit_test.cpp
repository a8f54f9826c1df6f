#include "plugins/rate_limit/rate_limit.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/base/heap_for_test.hpp"

namespace rr::rate_limit {
namespace {

using namespace std::chrono_literals;
using Pairs = FieldsForTest::Pairs;

int64_t now_ns = 0;
int64_t Now() { return now_ns; }

RateLimitConfig Limit(int64_t burst, Duration per = 10s) {
    RateLimitConfig c;
    c.rate = *Rate::Of(1, per, burst);
    c.max_keys = 100;
    return c;
}

bool Passes(RateLimit& limit, std::string remote, Pairs headers = {}) {
    RequestForTest request(std::move(headers));
    request.remote = std::move(remote);
    HttpAnswer answer;
    return limit.OnRequest(request, answer);
}

std::string Of(const HttpAnswer& answer, std::string_view name) {
    for (const auto& [each, value] : answer.headers) {
        if (each == name) {
            return std::string(value);
        }
    }
    return "none";
}

}  // namespace

TEST_CASE("rate_limit: each address has its own limit") {
    RateLimit limit(Limit(1), &Now);
    REQUIRE(Passes(limit, "192.0.2.1"));
    REQUIRE_FALSE(Passes(limit, "192.0.2.1"));
    REQUIRE(Passes(limit, "192.0.2.2"));
    REQUIRE_FALSE(Passes(limit, "::ffff:192.0.2.2"));
}

TEST_CASE("rate_limit: an IPv6 network is one client") {
    RateLimit limit(Limit(1), &Now);
    REQUIRE(Passes(limit, "2001:db8:1:2::1"));
    REQUIRE_FALSE(Passes(limit, "2001:db8:1:2:ffff::2"));
    REQUIRE(Passes(limit, "2001:db8:1:3::1"));

    RateLimitConfig wide = Limit(1);
    wide.ipv6_prefix = 128;
    RateLimit narrow(wide, &Now);
    REQUIRE(Passes(narrow, "2001:db8::1"));
    REQUIRE(Passes(narrow, "2001:db8::2"));
    // The prefix is no matter of IPv4 addresses.
    wide.ipv6_prefix = 16;
    RateLimit other(wide, &Now);
    REQUIRE(Passes(other, "192.0.2.1"));
    REQUIRE(Passes(other, "192.0.2.2"));
}

TEST_CASE("rate_limit: all of a Unix socket are one client") {
    RateLimit limit(Limit(1), &Now);
    REQUIRE(Passes(limit, "@"));
    REQUIRE_FALSE(Passes(limit, "@"));
    REQUIRE(Passes(limit, "::"));
}

TEST_CASE("rate_limit: values of a header are the keys; without one the address is") {
    RateLimitConfig config = Limit(1);
    config.header = "X-Api-Key";
    RateLimit limit(config, &Now);
    REQUIRE(Passes(limit, "192.0.2.1", {{"x-api-key", "a"}}));
    REQUIRE(Passes(limit, "192.0.2.1", {{"x-api-key", "b"}}));
    REQUIRE_FALSE(Passes(limit, "192.0.2.2", {{"x-api-key", "a"}}));
    REQUIRE(Passes(limit, "192.0.2.1"));
    REQUIRE_FALSE(Passes(limit, "192.0.2.1"));
}

TEST_CASE("rate_limit: exempt networks have no limit") {
    RateLimitConfig config = Limit(1);
    config.exempt = {*net::ParseSubnet("10.0.0.0/8")};
    RateLimit limit(config, &Now);
    for (int i = 0; i < 5; ++i) {
        REQUIRE(Passes(limit, "10.1.2.3"));
    }
    RequestForTest request;
    request.remote = "10.1.2.3";
    ResponseForTest response;
    limit.OnResponse(request, response);
    REQUIRE(response.fields.size() == 0);
}

TEST_CASE("rate_limit: a refused request is told when to come again") {
    now_ns = 0;
    RateLimit limit(Limit(2), &Now);
    RequestForTest request;
    HttpAnswer answer;
    REQUIRE(limit.OnRequest(request, answer));
    REQUIRE(limit.OnRequest(request, answer));
    now_ns = 1'500'000'000;
    REQUIRE_FALSE(limit.OnRequest(request, answer));
    REQUIRE(answer.status == 429);
    REQUIRE(answer.body == "Too Many Requests\n");
    REQUIRE(Of(answer, "Retry-After") == "9");  // 8.5
    REQUIRE(Of(answer, "RateLimit-Limit") == "2");
    REQUIRE(Of(answer, "RateLimit-Remaining") == "0");
    REQUIRE(Of(answer, "RateLimit-Reset") == "19");
    now_ns = 9'000'000'000 + 1'500'000'000;
    REQUIRE(limit.OnRequest(request, answer));

    std::vector<MetricFamily> families;
    limit.Collect(families);
    REQUIRE(families.size() == 2);
    REQUIRE(families[0].samples[0].value == 1);
    now_ns = 0;
}

TEST_CASE("rate_limit: Retry-After is at least a second") {
    RateLimit limit(Limit(1, 10ms), &Now);
    RequestForTest request;
    HttpAnswer answer;
    REQUIRE(limit.OnRequest(request, answer));
    REQUIRE_FALSE(limit.OnRequest(request, answer));
    REQUIRE(Of(answer, "Retry-After") == "1");
}

TEST_CASE("rate_limit: answers say what is left, unless they shall not") {
    RateLimitConfig config = Limit(5);
    for (bool headers : {true, false}) {
        config.headers = headers;
        RateLimit limit(config, &Now);
        RequestForTest request;
        HttpAnswer answer;
        ResponseForTest response(Pairs{{"ratelimit-limit", "of the worker"}});
        REQUIRE(limit.OnRequest(request, answer));
        limit.OnResponse(request, response);
        if (headers) {
            REQUIRE(response.fields.size() == 3);
            REQUIRE(response.Header("RateLimit-Limit") == "5");
            REQUIRE(response.Header("RateLimit-Remaining") == "4");
            REQUIRE(response.Header("RateLimit-Reset") == "10");
        } else {
            REQUIRE(response.Header("RateLimit-Limit") == "of the worker");
        }
    }
}

}  // namespace rr::rate_limit
