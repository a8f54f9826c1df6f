#include "plugins/http/head.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/classify.hpp"
#include "plugins/http/head_for_test.hpp"

using namespace rr::http;

TEST_CASE("head: views lie on the bytes that came") {
    ReadHead r("POST /p?q=1 HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n");
    REQUIRE(r.fine());
    REQUIRE(r.head.method == "POST");
    REQUIRE(r.head.verb == Method::kPost);
    REQUIRE(r.head.target == "/p?q=1");
    REQUIRE(r.head.query() == "q=1");
    REQUIRE(r.head.protocol == "HTTP/1.1");
    REQUIRE(r.head.host == "h");
    REQUIRE(r.head.content_length == 5);
    REQUIRE(r.head.has_body());
    REQUIRE(r.head.Find(HeaderId::kContentType) == "a/b");
    REQUIRE(r.head.Find("cOntent-type") == "a/b");
    REQUIRE(r.head.Find("absent").empty());
    REQUIRE(r.head.method.data() == r.text.data());
}

TEST_CASE("head: unknown and lower-case methods pass") {
    for (const char* method : {"get", "FOO", "PRI", "SOURCE", "M-SEARCH"}) {
        ReadHead r(std::string(method) + " / HTTP/1.1\r\nHost: h\r\n\r\n");
        REQUIRE(r.fine());
        REQUIRE(r.head.method == method);
        REQUIRE(r.head.verb == Method::kOther);
    }
}

TEST_CASE("head: keep-alive follows version and Connection") {
    auto keeps = [](const char* version, const std::string& lines) {
        ReadHead r(std::string("GET / ") + version + "\r\nHost: h\r\n" + lines + "\r\n");
        REQUIRE(r.fine());
        return r.head.keep_alive;
    };
    REQUIRE(keeps("HTTP/1.1", ""));
    REQUIRE_FALSE(keeps("HTTP/1.1", "Connection: close\r\n"));
    REQUIRE_FALSE(keeps("HTTP/1.1", "Connection: x\r\nConnection: y, Close\r\n"));
    REQUIRE_FALSE(keeps("HTTP/1.0", ""));
    REQUIRE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
    REQUIRE_FALSE(keeps("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST_CASE("head: Expect and Upgrade are seen") {
    ReadHead expect(
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
    REQUIRE(expect.head.expect_continue);
    REQUIRE_FALSE(expect.head.expect_other);
    ReadHead other("POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n");
    REQUIRE(other.head.expect_other);
    ReadHead old("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
    REQUIRE_FALSE(old.head.expect_continue);
    ReadHead upgrade(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    REQUIRE(upgrade.fine());
    REQUIRE(upgrade.head.upgrade);
    ReadHead half("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n");
    REQUIRE(half.fine());
    REQUIRE_FALSE(half.head.upgrade);
}

TEST_CASE("head: chunked is seen") {
    ReadHead r("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n");
    REQUIRE(r.fine());
    REQUIRE(r.head.chunked);
    REQUIRE(r.head.has_body());
}

TEST_CASE("head: target forms") {
    ReadHead absolute("GET http://other:81/p?x HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(absolute.head.form == TargetForm::kAbsolute);
    REQUIRE(absolute.head.query() == "x");
    ReadHead connect("CONNECT foo:443 HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(connect.head.form == TargetForm::kAuthority);
    ReadHead star("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(star.head.form == TargetForm::kAsterisk);
}

TEST_CASE("head: Rebase follows the bytes and leaves added headers") {
    ReadHead r("GET /p HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\n");
    r.head.Add("X-Added", "2");
    std::string copy = "...." + r.text;
    r.head.Rebase(r.text.data(), r.text.size(), copy.data() + 4);
    r.text.assign(r.text.size(), '#');
    REQUIRE(r.head.target == "/p");
    REQUIRE(r.head.host == "h");
    REQUIRE(r.head.Find("x-a") == "1");
    REQUIRE(r.head.Find("x-added") == "2");
}

TEST_CASE("head: Reset keeps nothing but memory") {
    ReadHead r("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
    size_t capacity = r.head.fields.capacity();
    r.head.Reset();
    REQUIRE(r.head.fields.empty());
    REQUIRE(r.head.fields.capacity() == capacity);
    REQUIRE(r.head.content_length == 0);
    REQUIRE(r.head.method.empty());
}

TEST_CASE("classify: by method, then by substring of the content type") {
    auto kind = [](const std::string& method, const std::string& type, bool raw = false) {
        ReadHead r(method + " / HTTP/1.1\r\nHost: h\r\nContent-Type: " + type + "\r\n\r\n");
        REQUIRE(r.fine());
        return ClassifyBody(r.head, raw);
    };
    const std::string form = "application/x-www-form-urlencoded";
    REQUIRE(kind("POST", form) == BodyKind::kForm);
    REQUIRE(kind("PUT", form + "; charset=utf-8") == BodyKind::kForm);
    REQUIRE(kind("PATCH", "foo " + form) == BodyKind::kForm);
    REQUIRE(kind("GET", form) == BodyKind::kFormEmpty);
    REQUIRE(kind("DELETE", form) == BodyKind::kFormEmpty);
    REQUIRE(kind("POST", "Application/X-WWW-Form-Urlencoded") == BodyKind::kRaw);
    REQUIRE(kind("GET", "multipart/form-data; boundary=x") == BodyKind::kMultipart);
    REQUIRE(kind("POST", form + "; multipart/form-data") == BodyKind::kForm);
    REQUIRE(kind("POST", "application/json") == BodyKind::kRaw);
    REQUIRE(kind("POST", form, true) == BodyKind::kRaw);
    REQUIRE(kind("POST", "multipart/form-data; boundary=x", true) == BodyKind::kRaw);
    REQUIRE(kind("HEAD", form) == BodyKind::kIgnored);
    REQUIRE(kind("OPTIONS", "a/b", true) == BodyKind::kIgnored);
}
