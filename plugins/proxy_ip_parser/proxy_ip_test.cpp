#include "plugins/proxy_ip_parser/proxy_ip.hpp"

#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"

namespace rr::proxy_ip_parser {
namespace {

using Pairs = FieldsForTest::Pairs;

ProxyIpConfig Trusting(std::vector<std::string> headers = {}, Entry entry = Entry::kFirst) {
    ProxyIpConfig c;
    c.trusted = {*net::ParseSubnet("10.0.0.0/8"), *net::ParseSubnet("fe80::/10")};
    c.headers = std::move(headers);
    c.entry = entry;
    return c;
}

std::string AddressOf(Pairs headers, ProxyIpConfig config = Trusting(),
                      std::string peer = "10.0.0.1") {
    ProxyIp middleware(std::move(config));
    RequestForTest request(std::move(headers));
    request.remote = std::move(peer);
    HttpAnswer answer;
    REQUIRE(middleware.OnRequest(request, answer));
    return request.remote;
}

}  // namespace

TEST_CASE("proxy_ip_parser: trusted proxies are believed, others are not") {
    const Pairs headers = {{"X-Forwarded-For", "192.0.2.1"}};
    REQUIRE(AddressOf(headers) == "192.0.2.1");
    REQUIRE(AddressOf(headers, Trusting(), "192.0.2.99") == "192.0.2.99");
    REQUIRE(AddressOf(headers, ProxyIpConfig{}) == "10.0.0.1");
    REQUIRE(AddressOf(headers, Trusting(), "fe80::1%2") == "192.0.2.1");
    REQUIRE(AddressOf(headers, Trusting(), "::ffff:10.0.0.1") == "192.0.2.1");
    REQUIRE(AddressOf(headers, Trusting(), "") == "");
}

// RoadRunner answers every request of such a listener with 400.
TEST_CASE("proxy_ip_parser: a proxy on a Unix socket is believed") {
    REQUIRE(AddressOf({{"X-Forwarded-For", "192.0.2.1"}}, Trusting(), "@") == "192.0.2.1");
    REQUIRE(AddressOf({}, Trusting(), "@") == "@");
}

TEST_CASE("proxy_ip_parser: headers are asked in RoadRunner's order") {
    Pairs all = {{"cf-connecting-ip", "192.0.2.5"},
                 {"true-client-ip", "192.0.2.4"},
                 {"x-real-ip", "192.0.2.3"},
                 {"x-forwarded-for", "192.0.2.2"},
                 {"forwarded", "for=192.0.2.1"}};
    for (const char* expected : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"}) {
        REQUIRE(AddressOf(all) == expected);
        all.pop_back();
    }
    REQUIRE(AddressOf(all) == "10.0.0.1");
}

TEST_CASE("proxy_ip_parser: a Forwarded without an address skips X-Forwarded-For and X-Real-Ip") {
    Pairs headers = {{"Forwarded", "proto=https"},
                     {"X-Forwarded-For", "192.0.2.2"},
                     {"X-Real-Ip", "192.0.2.3"},
                     {"Cf-Connecting-Ip", "192.0.2.5"}};
    REQUIRE(AddressOf(headers) == "192.0.2.5");
    headers.pop_back();
    REQUIRE(AddressOf(headers) == "10.0.0.1");
}

// RoadRunner hands `garbage` to PHP.
TEST_CASE("proxy_ip_parser: what is no address never reaches PHP") {
    REQUIRE(AddressOf({{"X-Forwarded-For", "garbage"}}) == "10.0.0.1");
    REQUIRE(AddressOf({{"X-Forwarded-For", "garbage"}, {"X-Real-Ip", "192.0.2.3"}}) == "192.0.2.3");
    REQUIRE(AddressOf({{"X-Real-Ip", "<script>"}, {"Cf-Connecting-Ip", "[2001:db8::1]:80"}}) ==
            "2001:db8::1");
}

TEST_CASE("proxy_ip_parser: the user's own list of headers is asked in its order") {
    const Pairs headers = {
        {"Forwarded", "proto=https"}, {"X-Forwarded-For", "192.0.2.2"}, {"X-Client", "192.0.2.9"}};
    REQUIRE(AddressOf(headers, Trusting({"X-Client", "X-Forwarded-For"})) == "192.0.2.9");
    REQUIRE(AddressOf(headers, Trusting({"Forwarded", "x-forwarded-for"})) == "192.0.2.2");
    REQUIRE(AddressOf(headers, Trusting({"X-Real-Ip"})) == "10.0.0.1");
}

TEST_CASE("proxy_ip_parser: entries of all lines count where the proxy adds one") {
    const Pairs headers = {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "192.0.2.2"}};
    REQUIRE(AddressOf(headers, Trusting({}, Entry::kFirst)) == "6.6.6.6");
    REQUIRE(AddressOf(headers, Trusting({}, Entry::kLast)) == "192.0.2.2");
    REQUIRE(AddressOf(headers, Trusting({}, Entry::kUntrusted)) == "192.0.2.2");
}

}  // namespace rr::proxy_ip_parser
