#include "plugins/http/route.hpp"

#include <catch2/catch.hpp>

#include "plugins/http/head_for_test.hpp"

namespace rr::http {
namespace {

bool Takes(const Route& route, const std::string& line, const std::string& fields = "Host: h\r\n") {
    ReadHead r(line + " HTTP/1.1\r\n" + fields + "\r\n");
    return route.Matches(r.head);
}

}  // namespace

TEST_CASE("route: a path is that path and what lies below it, a star is any text") {
    Route route;
    route.paths = {"/reports", "/a/*/pdf", "/slash/"};
    REQUIRE(Takes(route, "GET /reports"));
    REQUIRE(Takes(route, "GET /reports?x=/other"));
    REQUIRE(Takes(route, "GET /reports/2026"));
    REQUIRE(Takes(route, "GET /%72eports"));
    REQUIRE(Takes(route, "GET http://h/reports/1"));
    REQUIRE_FALSE(Takes(route, "GET /reportsx"));
    REQUIRE_FALSE(Takes(route, "GET /"));
    REQUIRE(Takes(route, "GET /a/b/c/pdf"));
    REQUIRE_FALSE(Takes(route, "GET /a/b/pdfs"));
    REQUIRE(Takes(route, "GET /slash"));
    REQUIRE(Takes(route, "GET /slash/x"));
}

TEST_CASE("route: all that is given must match") {
    Route route;
    route.methods = {"POST", "PUT"};
    route.hosts = {"*.example.com", "[::1]"};
    route.headers = {{"x-slow", "*"}, {"x-kind", "a*z"}};
    const std::string good = "Host: API.example.com:8080\r\nX-Slow: \r\nX-Kind: abcz\r\n";
    REQUIRE(Takes(route, "POST /", good));
    REQUIRE_FALSE(Takes(route, "GET /", good));
    REQUIRE_FALSE(Takes(route, "POST /", "Host: example.com\r\nX-Slow: 1\r\nX-Kind: az\r\n"));
    REQUIRE_FALSE(Takes(route, "POST /", "Host: b.example.com\r\nX-Slow: 1\r\nX-Kind: ab\r\n"));
    REQUIRE(Takes(route, "PUT /", "Host: [::1]:80\r\nX-Slow: 1\r\nX-Kind: x\r\nX-Kind: az\r\n"));
}

TEST_CASE("route: the host of an absolute target counts, whatever Host says") {
    Route route;
    route.hosts = {"b.example"};
    REQUIRE(Takes(route, "GET http://b.example:81/q", "Host: other\r\n"));
    REQUIRE(Takes(route, "GET http://me@B.example?q", "Host: other\r\n"));
    REQUIRE_FALSE(Takes(route, "GET http://other/q", "Host: b.example\r\n"));
}

TEST_CASE("route: patterns") {
    REQUIRE(MatchesPattern("", ""));
    REQUIRE(MatchesPattern("*", ""));
    REQUIRE(MatchesPattern("a*b*c", "a--b-b-c"));
    REQUIRE_FALSE(MatchesPattern("a*b*c", "a--b-b-"));
    REQUIRE_FALSE(MatchesPattern("", "a"));
    REQUIRE(MatchesPattern("**", "abc"));
    // Many stars against a text that nearly fits: no time is lost.
    std::string pattern;
    for (int i = 0; i < 200; ++i) {
        pattern += "a*";
    }
    REQUIRE_FALSE(MatchesPattern(pattern + "b", std::string(20000, 'a')));
}

}  // namespace rr::http
