#include "plugins/headers/origins.hpp"

#include <catch2/catch.hpp>

namespace rr::headers {

TEST_CASE("headers: without a list, or with *, every origin is allowed") {
    REQUIRE(Origins().all());
    REQUIRE(Origins::Listed({}).all());
    REQUIRE(Origins::Listed({"https://a.example", "*"}).all());
    REQUIRE(Origins().Allow("null"));
}

TEST_CASE("headers: origins compare without case") {
    const Origins origins = Origins::Listed({"https://A.example", "http://b.example:8080"});
    REQUIRE_FALSE(origins.all());
    REQUIRE(origins.Allow("https://a.EXAMPLE"));
    REQUIRE(origins.Allow("http://b.example:8080"));
    for (const char* other : {"http://a.example", "https://a.example:443", "https://xa.example",
                              "https://a.example.evil", "null", ""}) {
        INFO(other);
        REQUIRE_FALSE(origins.Allow(other));
    }
}

TEST_CASE("headers: a * inside of an origin stands for any text") {
    const Origins origins = Origins::Listed({"https://*.example.com"});
    REQUIRE(origins.Allow("https://a.example.com"));
    REQUIRE(origins.Allow("https://a.b.Example.com"));
    REQUIRE(origins.Allow("https://.example.com"));
    REQUIRE_FALSE(origins.Allow("https://example.com"));
    REQUIRE_FALSE(origins.Allow("https://a.example.com.evil"));
    REQUIRE_FALSE(origins.Allow("http://a.example.com"));
    // What stands before and behind must not overlap.
    REQUIRE_FALSE(Origins::Listed({"aba*ba"}).Allow("aba"));
}

TEST_CASE("headers: a regular expression matches anywhere, with case") {
    Result<Origins> origins = Origins::Matching(R"(example\.(com|org)$)");
    REQUIRE(origins);
    REQUIRE_FALSE(origins->all());
    REQUIRE(origins->Allow("https://example.com"));
    REQUIRE(origins->Allow("https://notexample.org"));
    REQUIRE_FALSE(origins->Allow("https://EXAMPLE.com"));
    REQUIRE_FALSE(origins->Allow("https://example.com.evil"));
    REQUIRE_FALSE(Origins::Matching("(").has_value());
    REQUIRE_FALSE(Origins::Matching("a(?!b)").has_value());  // no RE2, as in Go
}

// Each of these takes a backtracking matcher years.
TEST_CASE("headers: no origin makes a regular expression slow") {
    Result<Origins> origins = Origins::Matching("^(a+)+$");
    REQUIRE(origins);
    REQUIRE_FALSE(origins->Allow(std::string(4000, 'a') + "!"));
    REQUIRE_FALSE(origins->Allow(std::string(100'000, 'a')));
}

}  // namespace rr::headers
