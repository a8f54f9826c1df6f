#include "plugins/http/debug_rules.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "core/config/read_for_test.hpp"
#include "plugins/http/config.hpp"
#include "plugins/http/head_for_test.hpp"

namespace rr::http {
namespace {

struct Read : config::ReadForTest<HttpConfig> {
    explicit Read(const std::string& text)
        : ReadForTest("http:\n  address: \":80\"\n" + text, "http", &ParseHttpConfig) {}
};

DebugRules Rules(const std::string& text = "  debug: {header: X-Debug, cookie: XDEBUG_SESSION}\n") {
    Read r(text);
    REQUIRE(r.problems().empty());
    REQUIRE(r.config.debug.has_value());
    return *r.config.debug;
}

bool Asks(const DebugRules& rules, const std::string& fields) {
    ReadHead r("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
    REQUIRE(r.fine());
    return rules.Asks(r.head);
}

bool TrustsWith(const std::string& fields, const DebugRules& rules = Rules()) {
    ReadHead r("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
    REQUIRE(r.fine());
    return rules.Trusts(r.head, "127.0.0.1:4000", "127.0.0.1:4000", false);
}

bool TrustsWay(Bytes peer, Bytes sender, bool gateway = false, const DebugRules& rules = Rules()) {
    ReadHead r("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    return rules.Trusts(r.head, peer, sender, gateway);
}

}  // namespace

TEST_CASE("debug rules: off without the section, and fit for a debugger with it") {
    REQUIRE_FALSE(Read("").config.debug.has_value());
    Read r("  debug: {cookie: XDEBUG_SESSION}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    const DebugRules& rules = *r.config.debug;
    REQUIRE(rules.header == "X-Debug");
    REQUIRE(rules.trusted.size() == 2);
    REQUIRE_FALSE(rules.trusts_unix);
    REQUIRE(rules.trusted_text == "127.0.0.0/8, ::1/128");
    REQUIRE(rules.pool.debug);
    REQUIRE(rules.pool.num_workers == 1);
    REQUIRE(rules.pool.debug_workers == 1);
    REQUIRE(rules.pool.allocate_timeout == std::chrono::hours(1));
    REQUIRE_FALSE(rules.pool.supervised);
    REQUIRE(r.config.pool.debug_workers == 0);
}

TEST_CASE("debug rules: every key is read") {
    Read r(
        "  debug:\n    header: X-Break\n    cookie: C\n    trusted: [10.0.0.0/8, unix]\n"
        "    pool: {debug: false, num_workers: 2, allocate_timeout: 5s, command: php d.php}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    const DebugRules& rules = *r.config.debug;
    REQUIRE(rules.header == "X-Break");
    REQUIRE(rules.cookie == "C");
    REQUIRE(rules.trusts_unix);
    REQUIRE(rules.Trusts("10.1.2.3"));
    REQUIRE_FALSE(rules.Trusts("127.0.0.1"));
    REQUIRE_FALSE(rules.pool.debug);
    REQUIRE(rules.pool.num_workers == 2);
    REQUIRE(rules.pool.allocate_timeout == std::chrono::seconds(5));
    REQUIRE(rules.pool.command == std::vector<std::string>{"php", "d.php"});
}

TEST_CASE("debug rules: what is wrong is named") {
    REQUIRE(Read("  debug: {header: 'X Debug'}\n").problems() ==
            "http.debug.header: no name of a header: X Debug\n");
    REQUIRE(Read("  debug: {cookie: 'a=b'}\n").problems() ==
            "http.debug.cookie: no name of a cookie: a=b\n");
    REQUIRE(Read("  debug: {header: ''}\n").problems() ==
            "http.debug: neither header nor cookie: nobody could ask for the debugger\n");
    REQUIRE(Read("  debug: {trusted: [10.0.0.0/40]}\n").problems() ==
            "http.debug.trusted: neither an address, a network nor unix: 10.0.0.0/40\n");
    REQUIRE(Read("  debug: {trusted: []}\n").problems() ==
            "http.debug.trusted: empty: nobody could ask for the debugger\n");
    REQUIRE(Read("  debug: {}\n").warnings() ==
            "http.debug: empty: there is no debug pool; name the header, or the cookie\n");
    REQUIRE(Read("  debug: {headr: X}\n").warnings().find("did you mean header?") !=
            std::string::npos);
}

TEST_CASE("debug rules: a pool of a route cannot have the debug pool's name") {
    const std::string pools = "  pools:\n    debug: {match: {path: /x}, pool: {num_workers: 1}}\n";
    REQUIRE(Read(pools).problems().empty());
    Read r(pools + "  debug: {header: X-Debug}\n");
    REQUIRE(r.file->problems().size() == 1);
    REQUIRE(r.file->problems()[0] ==
            ".rr.yaml:5: http.pools.debug: this is the name of the pool of http.debug");
}

TEST_CASE("debug rules: the header counts unless it says no") {
    const DebugRules rules = Rules();
    for (const char* yes : {"1", "true", "on", "yes", "PHPSTORM", "00", "2"}) {
        INFO(yes);
        REQUIRE(Asks(rules, std::string("x-debug: ") + yes + "\r\n"));
    }
    for (const char* no : {"", " ", "0", "false", "False", "OFF", "no"}) {
        INFO(no);
        REQUIRE_FALSE(Asks(rules, std::string("X-Debug: ") + no + "\r\n"));
    }
    REQUIRE(Asks(rules, "X-Debug: 0\r\nX-Debug: 1\r\n"));
    REQUIRE_FALSE(Asks(rules, "X-Debugger: 1\r\n"));
    REQUIRE_FALSE(Asks(Rules("  debug: {header: X-Break}\n"), "X-Debug: 1\r\n"));
}

TEST_CASE("debug rules: the cookie counts the same way") {
    const DebugRules rules = Rules();
    REQUIRE(Asks(rules, "Cookie: a=1; XDEBUG_SESSION=PHPSTORM; b=2\r\n"));
    REQUIRE(Asks(rules, "Cookie: a=1\r\nCookie: XDEBUG_SESSION=1\r\n"));
    for (const char* no :
         {"XDEBUG_SESSION=", "XDEBUG_SESSION=off", "XDEBUG_SESSION=%30", "a=1", "xdebug_session=1",
          "XDEBUG_SESSION_2=1", "a=XDEBUG_SESSION", "XDEBUG_SESSION"}) {
        INFO(no);
        REQUIRE_FALSE(Asks(rules, std::string("Cookie: ") + no + "\r\n"));
    }
    REQUIRE(Asks(rules, "X-Debug: 0\r\nCookie: XDEBUG_SESSION=1\r\n"));
    const DebugRules no_header = Rules("  debug: {header: '', cookie: C}\n");
    REQUIRE(Asks(no_header, "Cookie: C=1\r\n"));
    REQUIRE_FALSE(Asks(no_header, "X-Debug: 1\r\n"));
    REQUIRE_FALSE(Asks(Rules("  debug: {header: X-Debug}\n"), "Cookie: XDEBUG_SESSION=1\r\n"));
}

TEST_CASE("debug rules: both ends of a connection must be trusted") {
    REQUIRE(TrustsWay("127.0.0.1:4000", "127.0.0.1:4000"));
    REQUIRE(TrustsWay("[::1]:4000", "[::1]:4000"));
    REQUIRE_FALSE(TrustsWay("192.0.2.7:4000", "192.0.2.7:4000"));
    REQUIRE_FALSE(TrustsWay("", ""));
    // A proxy, or a gateway, speaks for somebody.
    REQUIRE(TrustsWay("127.0.0.9:1", "127.0.0.1:4000"));
    REQUIRE_FALSE(TrustsWay("192.0.2.7:1", "127.0.0.1:4000"));
    REQUIRE_FALSE(TrustsWay("127.0.0.1:1", "192.0.2.7:4000"));  // says so himself
    // A gateway that names nobody.
    REQUIRE(TrustsWay("127.0.0.1:0", "127.0.0.1:4000", true));
    REQUIRE_FALSE(TrustsWay("127.0.0.1:4000", "127.0.0.1:4000", true));
}

TEST_CASE("debug rules: a Unix socket is fine between, and as an end if unix is trusted") {
    const DebugRules unix_too = Rules("  debug: {trusted: [127.0.0.1, unix]}\n");
    REQUIRE_FALSE(TrustsWay("@", "@"));
    REQUIRE(TrustsWay("@", "@", false, unix_too));
    REQUIRE(TrustsWay("127.0.0.1:4", "@"));
    REQUIRE_FALSE(TrustsWay("192.0.2.7:4", "@", false, unix_too));
    REQUIRE_FALSE(TrustsWay("@", "@", true, unix_too));  // a gateway that names nobody
}

TEST_CASE("debug rules: whom proxies name must be trusted too, each of them") {
    for (const char* fine :
         {"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: ::1 , 127.0.0.9:80", "X-Real-Ip: [::1]",
          "Forwarded: for=127.0.0.1;proto=https",
          "Forwarded: proto=https; FOR=\"[::1]:80\", for=127.0.0.1", "True-Client-Ip: 127.0.0.1",
          "X-Forwarded-For: ::ffff:127.0.0.1",
          "Via: 1.1 a\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 127.0.0.1"}) {
        INFO(fine);
        REQUIRE(TrustsWith(std::string(fine) + "\r\n"));
    }
    for (const char* bad :
         {"X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 127.0.0.1, 203.0.113.9",
          "X-Forwarded-For: 203.0.113.9, 127.0.0.1",
          "x-forwarded-for: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.9",
          "X-Forwarded-For: 127.0.0.1\r\nX-Real-Ip: 203.0.113.9", "X-Forwarded-For: unknown",
          "X-Forwarded-For: ", "X-Forwarded-For: 127.0.0.1,", "X-Forwarded-For: \"127.0.0.1",
          "Forwarded: for=203.0.113.9", "Forwarded: for=127.0.0.1, for=203.0.113.9",
          "Forwarded: for=127.0.0.1;for=203.0.113.9",
          "Forwarded: for=\"127.0.0.1, for=203.0.113.9\"", "Forwarded: proto=https",
          "Forwarded: for", "Forwarded: ", "Forwarded: for=_hidden",
          "Cf-Connecting-Ip: 203.0.113.9"}) {
        INFO(bad);
        REQUIRE_FALSE(TrustsWith(std::string(bad) + "\r\n"));
    }
}

TEST_CASE("debug rules: a proxy that does not say for whom it speaks is not trusted") {
    REQUIRE_FALSE(TrustsWith("Via: 1.1 proxy\r\n"));
    REQUIRE_FALSE(TrustsWith("X-Forwarded-Proto: https\r\n"));
    REQUIRE(TrustsWith("X-Forward: 1\r\nViaduct: 1\r\n"));
}

TEST_CASE("debug rules: headers of proxy_ip_parser name clients") {
    const DebugRules rules = Rules("  trusted_headers: [X-Client]\n  debug: {header: X-Debug}\n");
    REQUIRE(TrustsWith("X-Client: 127.0.0.1\r\n", rules));
    REQUIRE_FALSE(TrustsWith("X-Client: 203.0.113.9\r\n", rules));
    REQUIRE_FALSE(TrustsWith("X-Forwarded-For: 203.0.113.9\r\n", rules));
    REQUIRE(TrustsWith("X-Client: 203.0.113.9\r\n"));
}

}  // namespace rr::http
