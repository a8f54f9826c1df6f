#include "plugins/http/head_guard.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/head_for_test.hpp"

using namespace rr::http;
using namespace std::string_literals;

namespace {

HeadFault Fault(std::string_view text, const HeadLimits& limits = {}) {
    HeadGuard guard(limits);
    HeadGuard::Status status = guard.Scan(text);
    REQUIRE(status != HeadGuard::Status::kNeedMore);
    return guard.fault();
}

// A request whose header lines are `lines`, each with its CRLF.
HeadFault Lines(const std::string& lines, const char* version = "HTTP/1.1") {
    return Fault("GET / "s + version + "\r\nHost: h\r\n" + lines + "\r\n");
}

}  // namespace

TEST_CASE("guard: a plain request passes and its parts are where they stand") {
    std::string text = "GET /a?b=1 HTTP/1.1\r\nHost: h:80\r\nX-A:  v \t\r\nEmpty:\r\n\r\nrest";
    HeadGuard guard({});
    REQUIRE(guard.Scan(text) == HeadGuard::Status::kComplete);
    const char* base = text.data();
    REQUIRE(guard.size() == text.size() - 4);
    REQUIRE(guard.method().In(base) == "GET");
    REQUIRE(guard.target().In(base) == "/a?b=1");
    REQUIRE(guard.minor() == 1);
    REQUIRE(guard.fields().size() == 3);
    REQUIRE(guard.fields()[1].name.In(base) == "X-A");
    REQUIRE(guard.fields()[1].value.In(base) == "v");
    REQUIRE(guard.fields()[2].value.In(base).empty());
    REQUIRE(guard.fields()[guard.host()].value.In(base) == "h:80");
}

TEST_CASE("guard: a head that comes byte by byte gives the same as one that comes whole") {
    std::string text =
        "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nA: " + std::string(200, 'v') +
        "\r\n\r\n";
    HeadGuard guard({});
    for (size_t n = 0; n < text.size(); ++n) {
        std::string part = text.substr(0, n);  // at another address each time
        REQUIRE(guard.Scan(part) == HeadGuard::Status::kNeedMore);
    }
    REQUIRE(guard.Scan(text) == HeadGuard::Status::kComplete);
    REQUIRE(guard.size() == text.size());
    REQUIRE(guard.length() == 12);
    REQUIRE(guard.fields().size() == 3);
    guard.Reset();
    REQUIRE(guard.Scan("GET / HTTP/1.0\r\n\r\n") == HeadGuard::Status::kComplete);
    REQUIRE(guard.fields().empty());
    REQUIRE_FALSE(guard.has_length());
}

TEST_CASE("guard: one empty line in front is skipped, two are not") {
    REQUIRE(Fault("\r\nGET / HTTP/1.0\r\n\r\n") == HeadFault::kNone);
    REQUIRE(Fault("\r\n\r\nGET / HTTP/1.0\r\n\r\n") == HeadFault::kMethod);
}

TEST_CASE("guard: bare line ends are refused") {
    REQUIRE(Fault("GET / HTTP/1.1\nHost: h\n\n") == HeadFault::kBareLf);
    REQUIRE(Fault("\nGET / HTTP/1.1\r\n") == HeadFault::kBareLf);
    REQUIRE(Lines("A: b\n") == HeadFault::kBareLf);
    REQUIRE(Lines("A: b\rC: d\r\n") == HeadFault::kBareCr);
    REQUIRE(Lines("A: b\r\r\n") == HeadFault::kBareCr);
    REQUIRE(Lines("A\r: b\r\n") == HeadFault::kBareCr);
    REQUIRE(Fault("GET /\r HTTP/1.1\r\n") == HeadFault::kBareCr);
    REQUIRE(Fault("GET / HTTP/1.1\r\r\n") == HeadFault::kBareCr);
}

TEST_CASE("guard: NUL and control bytes are refused anywhere") {
    REQUIRE(Lines("A: b\0c\r\n"s) == HeadFault::kControl);
    REQUIRE(Lines("A\0: b\r\n"s) == HeadFault::kControl);
    REQUIRE(Fault("GET /\0 HTTP/1.1\r\n"s) == HeadFault::kControl);
    REQUIRE(Lines("A: \x7f\r\n") == HeadFault::kControl);
    REQUIRE(Lines("A: 0123456789abcdef0123456789\x01\r\n") == HeadFault::kControl);
    REQUIRE(Lines("A: 0123456789abcde\x1f"
                  "f0123456789\r\n") == HeadFault::kControl);
    REQUIRE(Lines("A: tab\tinside and \x80\xff bytes\r\n") == HeadFault::kNone);
}

TEST_CASE("guard: folded lines and malformed names are refused") {
    REQUIRE(Lines("A: b\r\n c\r\n") == HeadFault::kFold);
    REQUIRE(Lines("A: b\r\n\tc\r\n") == HeadFault::kFold);
    REQUIRE(Fault("GET / HTTP/1.1\r\n Host: h\r\n\r\n") == HeadFault::kFold);
    REQUIRE(Lines("A : b\r\n") == HeadFault::kName);
    REQUIRE(Lines("A b: c\r\n") == HeadFault::kName);
    REQUIRE(Lines(": c\r\n") == HeadFault::kName);
    REQUIRE(Lines("A\xc3: c\r\n") == HeadFault::kName);
    REQUIRE(Lines("A\r\n") == HeadFault::kNoColon);
}

TEST_CASE("guard: Host is there once, but on 1.0 it may be missing") {
    REQUIRE(Fault("GET / HTTP/1.1\r\n\r\n") == HeadFault::kNoHost);
    REQUIRE(Fault("GET / HTTP/1.0\r\n\r\n") == HeadFault::kNone);
    REQUIRE(Fault("CONNECT a:1 HTTP/1.1\r\n\r\n") == HeadFault::kNoHost);
    REQUIRE(Lines("host: h\r\n") == HeadFault::kTwoHosts);
    REQUIRE(Lines("Host: h\r\n", "HTTP/1.0") == HeadFault::kTwoHosts);
    REQUIRE(Fault("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == HeadFault::kHost);
    REQUIRE(Fault("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == HeadFault::kHost);
    REQUIRE(Fault("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n") == HeadFault::kHost);
    REQUIRE(Fault("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n") == HeadFault::kNone);
    REQUIRE(Fault("GET / HTTP/1.1\r\nHost:\r\n\r\n") == HeadFault::kNone);
}

TEST_CASE("guard: only HTTP/1.x is spoken here") {
    REQUIRE(Fault("GET /\r\n") == HeadFault::kRequestLine);
    for (const char* version : {"HTTP/0.9", "HTTP/2.0", "HTTP/3.0"}) {
        REQUIRE(Lines("", version) == HeadFault::kVersion);
        REQUIRE(Describe(HeadFault::kVersion).status == 505);
    }
    for (const char* bad :
         {"http/1.1", "HTTP/1", "HTTP/1.10", "HTTP/11", "HTTP/1.1 ", "HTTP/a.b", "XTTP/1.1", ""}) {
        REQUIRE(Lines("", bad) == HeadFault::kRequestLine);
    }
    REQUIRE(Lines("", "HTTP/1.2") == HeadFault::kNone);
    REQUIRE(Fault("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n") == HeadFault::kRequestLine);
}

TEST_CASE("guard: a request line has exactly two blanks") {
    REQUIRE(Fault("GET  / HTTP/1.1\r\n") == HeadFault::kRequestLine);
    REQUIRE(Fault("GET /  HTTP/1.1\r\n") == HeadFault::kRequestLine);
    REQUIRE(Fault("GET /a b HTTP/1.1\r\n") == HeadFault::kRequestLine);
    REQUIRE(Fault("GET\t/ HTTP/1.1\r\n") == HeadFault::kMethod);
    REQUIRE(Fault(" GET / HTTP/1.1\r\n") == HeadFault::kMethod);
    REQUIRE(Fault("G(T / HTTP/1.1\r\n") == HeadFault::kMethod);
    REQUIRE(Fault("GET\r\n") == HeadFault::kMethod);
}

TEST_CASE("guard: targets are of one of the four forms") {
    auto target = [](const std::string& method, const std::string& t) {
        return Fault(method + " " + t + " HTTP/1.1\r\nHost: h\r\n\r\n");
    };
    for (const char* fine : {"/", "//a", "/%41/%2F", "/a?%zz", "http://other:81/p", "HTTPS://u@h",
                             "/caf\xc3\xa9\xff", "/a#b"}) {
        REQUIRE(target("GET", fine) == HeadFault::kNone);
    }
    for (const char* bad : {"*", "foo", "foo:443", "/%zz", "/%4", "/%", "http:///x", "http://a b",
                            "://h/", "1a://h/", "http://h/%g0", "http://h@/"}) {
        REQUIRE(target("GET", bad) != HeadFault::kNone);
    }
    REQUIRE(target("OPTIONS", "*") == HeadFault::kNone);
    REQUIRE(target("CONNECT", "foo:443") == HeadFault::kNone);
    REQUIRE(target("CONNECT", "foo:443/x") == HeadFault::kTarget);
    REQUIRE(target("get", "/") == HeadFault::kNone);
    REQUIRE(target("FOO", "/") == HeadFault::kNone);
}

TEST_CASE("guard: Transfer-Encoding is `chunked` alone, on 1.1, without Content-Length") {
    REQUIRE(Lines("Transfer-Encoding: chunked\r\n") == HeadFault::kNone);
    REQUIRE(Lines("transfer-encoding: CHUNKED\r\n") == HeadFault::kNone);
    for (const char* bad : {"gzip", "gzip, chunked", "chunked, chunked", "chunked,", "xchunked",
                            "identity", "", "\"chunked\"", "chunked;q=1"}) {
        REQUIRE(Lines("Transfer-Encoding: "s + bad + "\r\n") == HeadFault::kEncoding);
    }
    REQUIRE(Lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") ==
            HeadFault::kEncoding);
    REQUIRE(Lines("Transfer-Encoding: chunked\r\n", "HTTP/1.0") == HeadFault::kEncodingOn10);
    REQUIRE(Lines("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") ==
            HeadFault::kLengthAndEncoding);
    REQUIRE(Lines("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") ==
            HeadFault::kLengthAndEncoding);
}

TEST_CASE("guard: Content-Length is one plain number") {
    REQUIRE(Lines("Content-Length: 0\r\n") == HeadFault::kNone);
    REQUIRE(Lines("Content-Length: 0010\r\n") == HeadFault::kNone);
    for (const char* bad : {"", "+1", "-1", "1,1", "1, 1", "1 1", "0x10", "1.0", "a",
                            "99999999999999999999", "9223372036854775808"}) {
        REQUIRE(Lines("Content-Length: "s + bad + "\r\n") == HeadFault::kLength);
    }
    REQUIRE(Lines("Content-Length: 1\r\ncontent-length: 1\r\n") == HeadFault::kTwoLengths);
}

TEST_CASE("guard: limits give 414 and 431, as early as they can") {
    HeadLimits limits{20, 200, 3};
    std::string tail = " HTTP/1.1\r\nHost: h\r\n\r\n";
    REQUIRE(Fault("GET /" + std::string(19, 'a') + tail, limits) == HeadFault::kNone);
    REQUIRE(Fault("GET /" + std::string(20, 'a') + tail, limits) == HeadFault::kTargetTooLong);
    REQUIRE(Fault("GET /" + std::string(300, 'a'), limits) == HeadFault::kTargetTooLong);
    REQUIRE(Describe(HeadFault::kTargetTooLong).status == 414);

    std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
    REQUIRE(Fault(start + "A: 1\r\nB: 1\r\n\r\n", limits) == HeadFault::kNone);
    REQUIRE(Fault(start + "A: 1\r\nB: 1\r\nC: 1\r\n", limits) == HeadFault::kTooManyHeaders);
    std::string exact = start + "A: " + std::string(200 - start.size() - 7, 'x') + "\r\n\r\n";
    REQUIRE(exact.size() == 200);
    REQUIRE(Fault(exact, limits) == HeadFault::kNone);
    REQUIRE(Fault(exact.insert(start.size() + 3, "x"), limits) == HeadFault::kHeadTooLarge);
    REQUIRE(Fault(start + std::string(300, 'x'), limits) == HeadFault::kHeadTooLarge);
    REQUIRE(Describe(HeadFault::kHeadTooLarge).status == 431);
    REQUIRE(Describe(HeadFault::kTooManyHeaders).status == 431);
}

TEST_CASE("guard: a refusal stays") {
    HeadGuard guard({});
    REQUIRE(guard.Scan("GET / HTTP/1.1\n") == HeadGuard::Status::kBad);
    REQUIRE(guard.Scan("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == HeadGuard::Status::kBad);
    guard.Reset();
    REQUIRE(guard.Scan("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == HeadGuard::Status::kComplete);
}
