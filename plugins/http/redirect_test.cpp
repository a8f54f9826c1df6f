#include "plugins/http/redirect.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/head_for_test.hpp"

namespace rr::http {
namespace {

std::string Header(const HttpAnswer& answer, const std::string& name) {
    return std::string(answer.headers.Get(name));
}

HttpAnswer Redirect(const std::string& first, const std::string& host, uint16_t port = 443) {
    ReadHead read(first + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    REQUIRE(read.fine());
    return RedirectToHttps(read.head, 308, port);
}

}  // namespace

TEST_CASE("http redirect: the same place, over TLS") {
    struct Case {
        const char* first;
        const char* host;
        uint16_t port;
        const char* location;
    };
    const Case c = GENERATE(
        Case{"GET /", "example.com", 443, "https://example.com/"},
        Case{"GET /a/b?x=1&y=%20", "example.com:8080", 443, "https://example.com/a/b?x=1&y=%20"},
        Case{"GET /", "example.com:80", 8443, "https://example.com:8443/"},
        Case{"POST /", "[::1]:80", 8443, "https://[::1]:8443/"},
        Case{"GET /", "[2001:db8::1]", 443, "https://[2001:db8::1]/"},
        Case{"GET /a%2fb", "h", 443, "https://h/a%2fb"},
        Case{"GET /\xc3\xa9?\xc3\xa9", "h", 443, "https://h/%C3%A9?%C3%A9"},
        Case{"GET //evil.example/x", "h", 443, "https://h//evil.example/x"},
        Case{"GET http://other:81/x?y", "h", 443, "https://other/x?y"},
        Case{"GET http://other", "h", 443, "https://other"},
        Case{"GET http://user@other/x", "h", 443, "https://other/x"},
        Case{"CONNECT other:81", "h", 443, "https://other"});
    CAPTURE(c.first, c.host);
    HttpAnswer answer = Redirect(c.first, c.host, c.port);
    REQUIRE(answer.status == 308);
    REQUIRE(Header(answer, "Location") == c.location);
    REQUIRE(Header(answer, "Strict-Transport-Security") ==
            "max-age=31536000; includeSubDomains; preload");
}

TEST_CASE("http redirect: a GET gets a page, and nothing of the target is markup in it") {
    HttpAnswer answer = Redirect("GET /a?<x>&\"'", "example.com");
    REQUIRE(Header(answer, "Content-Type") == "text/html; charset=utf-8");
    REQUIRE(
        answer.body ==
        "<a href=\"https://example.com/a?&lt;x&gt;&amp;&#34;&#39;\">Permanent Redirect</a>.\n\n");
    REQUIRE(Redirect("POST /", "example.com").body.empty());
}

TEST_CASE("http redirect: without a host there is no place to send anybody to") {
    ReadHead read("GET /x HTTP/1.0\r\n\r\n");
    REQUIRE(read.fine());
    HttpAnswer answer = RedirectToHttps(read.head, 308, 443);
    REQUIRE(answer.status == 400);
    REQUIRE(Header(answer, "Location").empty());
}

}  // namespace rr::http
