#include "plugins/proxy_ip_parser/forwarded.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::proxy_ip_parser {
namespace {

std::string Node(std::string_view node) {
    std::string_view text;
    net::IpAddress ip;
    return ReadNode(node, text, ip) ? std::string(text) : "none";
}

const net::Subnets kTrusted = {*net::ParseSubnet("10.0.0.0/8"), *net::ParseSubnet("fc00::/7")};

std::string In(Entry entry, std::initializer_list<const char*> lines) {
    Chooser chooser(entry, kTrusted);
    for (const char* line : lines) {
        chooser.AddList(line);
    }
    return std::string(chooser.address());
}

std::string InForwarded(Entry entry, std::initializer_list<const char*> lines) {
    Chooser chooser(entry, kTrusted);
    for (const char* line : lines) {
        chooser.AddForwarded(line);
    }
    return std::string(chooser.address());
}

}  // namespace

TEST_CASE("proxy_ip_parser: ports, brackets and quotes are no part of an address") {
    REQUIRE(Node("192.0.2.60") == "192.0.2.60");
    REQUIRE(Node("192.0.2.60:4711") == "192.0.2.60");
    REQUIRE(Node("192.0.2.60:_hidden") == "192.0.2.60");
    REQUIRE(Node("2001:db8::17") == "2001:db8::17");
    REQUIRE(Node("[2001:db8::17]") == "2001:db8::17");
    REQUIRE(Node("[2001:db8::17]:4711") == "2001:db8::17");
    REQUIRE(Node("\"[2001:db8::17]:4711\"") == "2001:db8::17");
    REQUIRE(Node("\"192.0.2.60\"") == "192.0.2.60");
    REQUIRE(Node("::1") == "::1");
}

TEST_CASE("proxy_ip_parser: what is no address is none") {
    for (const char* bad : {"",
                            "\"",
                            "\"\"",
                            "garbage",
                            "unknown",
                            "_hidden",
                            "192.0.2.60:",
                            "192.0.2.60:99999",
                            "192.0.2.60:80x",
                            "[192.0.2.60]",
                            "[2001:db8::17",
                            "2001:db8::17]",
                            "[2001:db8::17]4711",
                            "[2001:db8::17]:",
                            "[]",
                            "[",
                            "192.0.2.60 1",
                            "fe80::1%1",
                            "[fe80::1%1]",
                            "1.2.3",
                            "@",
                            "<script>",
                            "127.0.0.1\n"}) {
        INFO(bad);
        REQUIRE(Node(bad) == "none");
    }
}

TEST_CASE("proxy_ip_parser: the first entry counts, or none") {
    REQUIRE(In(Entry::kFirst, {"192.0.2.1, 198.51.100.7"}) == "192.0.2.1");
    REQUIRE(In(Entry::kFirst, {" 192.0.2.1"}) == "192.0.2.1");
    REQUIRE(In(Entry::kFirst, {", 192.0.2.1"}) == "192.0.2.1");
    REQUIRE(In(Entry::kFirst, {"garbage, 192.0.2.1"}).empty());
    REQUIRE(In(Entry::kFirst, {"192.0.2.1", "192.0.2.2"}) == "192.0.2.1");
    REQUIRE(In(Entry::kFirst, {}).empty());
}

TEST_CASE("proxy_ip_parser: the last entry that is an address counts, over all lines") {
    REQUIRE(In(Entry::kLast, {"192.0.2.1, 198.51.100.7"}) == "198.51.100.7");
    REQUIRE(In(Entry::kLast, {"192.0.2.1, garbage"}) == "192.0.2.1");
    REQUIRE(In(Entry::kLast, {"192.0.2.1", "192.0.2.2"}) == "192.0.2.2");
    REQUIRE(In(Entry::kLast, {"garbage"}).empty());
}

TEST_CASE("proxy_ip_parser: from the right, the first that is no trusted proxy counts") {
    REQUIRE(In(Entry::kUntrusted, {"6.6.6.6, 192.0.2.1, 10.0.0.1"}) == "192.0.2.1");
    REQUIRE(In(Entry::kUntrusted, {"6.6.6.6, 192.0.2.1"}) == "192.0.2.1");
    REQUIRE(In(Entry::kUntrusted, {"6.6.6.6", "192.0.2.1", "10.0.0.1, fc00::1"}) == "192.0.2.1");
    // All of them are ours: the one furthest away.
    REQUIRE(In(Entry::kUntrusted, {"10.0.0.9, 10.0.0.1"}) == "10.0.0.9");
    // Nothing on the left of an entry that says nothing can be believed.
    REQUIRE(In(Entry::kUntrusted, {"6.6.6.6, garbage, 10.0.0.1"}) == "10.0.0.1");
    REQUIRE(In(Entry::kUntrusted, {"6.6.6.6, unknown"}).empty());
}

TEST_CASE("proxy_ip_parser: Forwarded tells the client by `for`") {
    for (Entry entry : {Entry::kFirst, Entry::kLast, Entry::kUntrusted}) {
        REQUIRE(InForwarded(entry, {"for=192.0.2.60;proto=https"}) == "192.0.2.60");
        REQUIRE(InForwarded(entry, {"proto=https ; FOR = 192.0.2.60"}) == "192.0.2.60");
        REQUIRE(InForwarded(entry, {"For=\"[2001:db8:cafe::17]:4711\""}) == "2001:db8:cafe::17");
        REQUIRE(InForwarded(entry, {"proto=https;by=10.0.0.1"}).empty());
        REQUIRE(InForwarded(entry, {"for=_secret"}).empty());
        REQUIRE(InForwarded(entry, {"for=unknown, for"}).empty());
        REQUIRE(InForwarded(entry, {"before=192.0.2.1"}).empty());
    }
    REQUIRE(InForwarded(Entry::kFirst, {"proto=http, for=192.0.2.1, for=192.0.2.2"}) ==
            "192.0.2.1");
    REQUIRE(InForwarded(Entry::kLast, {"for=192.0.2.1, for=192.0.2.2, proto=http"}) == "192.0.2.2");
    REQUIRE(InForwarded(Entry::kUntrusted, {"for=6.6.6.6, for=192.0.2.2, for=10.1.1.1"}) ==
            "192.0.2.2");
    // A trusted proxy that tells nothing about whom it has seen: the rest may be anybody's.
    REQUIRE(InForwarded(Entry::kUntrusted, {"for=6.6.6.6, proto=http"}).empty());
}

TEST_CASE("proxy_ip_parser: a bar or a blank ends the value of `for`") {
    for (Entry entry : {Entry::kFirst, Entry::kLast, Entry::kUntrusted}) {
        REQUIRE(InForwarded(entry, {"for=192.0.2.1|x"}) == "192.0.2.1");
        REQUIRE(InForwarded(entry, {"for=192.0.2.1 x;proto=http"}) == "192.0.2.1");
        REQUIRE(InForwarded(entry, {"for=\"[2001:db8::1]:80\"\t|x"}) == "2001:db8::1");
        REQUIRE(InForwarded(entry, {"for= |192.0.2.1"}).empty());
    }
}

// A client that opens a quote would take what the proxy adds into it, and be nobody.
TEST_CASE("proxy_ip_parser: a client's quote does not hide what the proxy adds") {
    REQUIRE(In(Entry::kUntrusted, {"\", 192.0.2.1"}) == "192.0.2.1");
    REQUIRE(InForwarded(Entry::kUntrusted, {"for=\"x, for=192.0.2.1"}) == "192.0.2.1");
    REQUIRE(InForwarded(Entry::kUntrusted, {"for=\"x, for=\"[2001:db8::1]\""}) == "2001:db8::1");
    REQUIRE(InForwarded(Entry::kLast, {"host=\"a;, for=192.0.2.1"}) == "192.0.2.1");
}

}  // namespace rr::proxy_ip_parser
