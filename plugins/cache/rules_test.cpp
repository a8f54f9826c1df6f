#include "plugins/cache/rules.hpp"

#include <catch2/catch.hpp>

namespace rr::cache {

TEST_CASE("cache rules: seconds are digits") {
    REQUIRE(ParseSeconds("5") == 5);
    REQUIRE(ParseSeconds(" 60 ") == 60);
    REQUIRE(ParseSeconds("0") == 0);
    REQUIRE(ParseSeconds("99999999999999999999999999") == kMostSeconds);
    for (const char* bad : {"", " ", "-1", "+1", "5s", "1.5", "five", "1 2"}) {
        REQUIRE(ParseSeconds(bad) == -1);
    }
}

TEST_CASE("cache rules: s-maxage permits, no-store, no-cache and private forbid") {
    REQUIRE(SharedMaxAge("public, s-maxage=30, max-age=5") == 30);
    REQUIRE(SharedMaxAge("S-MaxAge=\"7\"") == 7);
    REQUIRE(SharedMaxAge("max-age=5") == -1);
    REQUIRE(SharedMaxAge("") == -1);
    REQUIRE(SharedMaxAge("x=\"a, s-maxage=5\"") == -1);
    for (const char* forbidden :
         {"s-maxage=5, no-store", "private, s-maxage=5", "No-Cache, s-maxage=5", "s-maxage=0",
          "s-maxage=x", "s-maxage=", "private=\"set-cookie\", s-maxage=5"}) {
        INFO(forbidden);
        REQUIRE(SharedMaxAge(forbidden) == 0);
    }
}

TEST_CASE("cache rules: tags match weakly, and a comma inside of one parts nothing") {
    REQUIRE(MatchesTag("\"a\"", "\"a\""));
    REQUIRE(MatchesTag("W/\"a\"", "\"a\""));
    REQUIRE(MatchesTag("\"a\"", "W/\"a\""));
    REQUIRE(MatchesTag("\"x\" , \"a\"", "\"a\""));
    REQUIRE(MatchesTag("*", "\"a\""));
    REQUIRE(MatchesTag("\"x,y\", \"a,b\"", "\"a,b\""));
    REQUIRE_FALSE(MatchesTag("\"x,y\"", "y\""));
    REQUIRE_FALSE(MatchesTag("\"A\"", "\"a\""));
    REQUIRE_FALSE(MatchesTag("\"a", "\"a\""));
    REQUIRE_FALSE(MatchesTag("", "\"a\""));
    REQUIRE_FALSE(MatchesTag("*", ""));
}

TEST_CASE("cache rules: what one client may still ask for is not told to the next") {
    for (const char* name :
         {"RateLimit-Limit", "ratelimit-remaining", "RateLimit-Reset", "Retry-After"}) {
        INFO(name);
        REQUIRE(IsPassing(name));
    }
}

TEST_CASE("cache rules: methods that change nothing") {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE"}) {
        REQUIRE(IsSafe(method));
    }
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "PURGE", "get", ""}) {
        REQUIRE_FALSE(IsSafe(method));  // nobody knows what an unknown one does
    }
}

TEST_CASE("cache rules: which statuses and headers are kept") {
    REQUIRE(IsKept(200));
    REQUIRE(IsKept(404));
    for (int status : {201, 204, 206, 304, 401, 403, 429, 500, 502, 503}) {
        REQUIRE_FALSE(IsKept(status));
    }
    REQUIRE(IsPassing("content-length"));
    REQUIRE(IsPassing("Age"));
    REQUIRE_FALSE(IsPassing("Content-Type"));
    REQUIRE(DescribesBody("content-type"));
    REQUIRE_FALSE(DescribesBody("ETag"));
}

}  // namespace rr::cache
