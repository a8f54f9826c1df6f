#include "core/net/ip.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::net;

namespace {

bool Holds(const char* subnet, const char* ip) {
    CAPTURE(subnet, ip);
    auto network = ParseSubnet(subnet);
    auto address = ParseIp(ip);
    REQUIRE(network);
    REQUIRE(address);
    return network->Contains(*address);
}

}  // namespace

TEST_CASE("net: IP addresses are read as they are written, and nothing else is one") {
    for (const char* good :
         {"0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "::1", "2001:DB8::1", "::ffff:1.2.3.4",
          "fe80::1%2", "fe80::1%eth0.1", "1111:2222:3333:4444:5555:6666:255.255.255.255"}) {
        INFO(good);
        REQUIRE(ParseIp(good));
    }
    for (const char* bad : {"",          " ",          "1.2.3",
                            "1.2.3.4.5", "1.2.3.256",  "1.2.3.4 ",
                            " 1.2.3.4",  "1.2.3.4:80", "01.2.3.4",
                            "0x1.2.3.4", "1.2.3.4%1",  "[::1]",
                            "::1%",      "::1%a b",    ":::",
                            "1::2::3",   "g::1",       "@",
                            "localhost", "garbage",    "1.2.3.4,5.6.7.8"}) {
        INFO(bad);
        REQUIRE_FALSE(ParseIp(bad));
    }
    REQUIRE_FALSE(ParseIp(std::string_view("1.2.3.4\0", 8)));
    REQUIRE_FALSE(ParseIp(std::string(5000, '1')));
}

TEST_CASE("net: an IPv4 address and its mapped form are the same") {
    REQUIRE(ParseIp("::ffff:1.2.3.4") == ParseIp("1.2.3.4"));
    REQUIRE(ParseIp("::ffff:102:304")->v4());
    REQUIRE_FALSE(ParseIp("::1.2.3.4")->v4());
}

TEST_CASE("net: a network holds what begins with its bits") {
    REQUIRE(Holds("10.0.0.0/8", "10.255.0.1"));
    REQUIRE_FALSE(Holds("10.0.0.0/8", "11.0.0.0"));
    REQUIRE(Holds("172.16.0.0/12", "172.31.255.255"));
    REQUIRE_FALSE(Holds("172.16.0.0/12", "172.32.0.0"));
    REQUIRE(Holds("10.1.2.3/8", "10.9.9.9"));  // bits behind the mask
    REQUIRE(Holds("127.0.0.1", "127.0.0.1"));
    REQUIRE_FALSE(Holds("127.0.0.1", "127.0.0.2"));
    REQUIRE(Holds("0.0.0.0/0", "8.8.8.8"));
    REQUIRE(Holds("fc00::/7", "fd00::1"));
    REQUIRE_FALSE(Holds("fc00::/7", "fe00::1"));
    REQUIRE(Holds("::1/128", "::1"));
    REQUIRE(Holds("10.0.0.0/8", "::ffff:10.1.1.1"));
}

TEST_CASE("net: IPv4 addresses are in no IPv6 network, and the other way round") {
    REQUIRE_FALSE(Holds("::/0", "8.8.8.8"));
    REQUIRE_FALSE(Holds("::/8", "8.8.8.8"));
    REQUIRE_FALSE(Holds("0.0.0.0/0", "::1"));
    REQUIRE(Holds("::ffff:0:0/96", "8.8.8.8"));
}

TEST_CASE("net: what is no network is refused") {
    for (const char* bad :
         {"", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8x",
          "10.0.0.0/8/8", "10.0.0/8", "fe80::1%2/64", "fe80::%2", "10.0.0.0/ 8"}) {
        INFO(bad);
        REQUIRE_FALSE(ParseSubnet(bad));
    }
}

TEST_CASE("net: a mask keeps the first bits") {
    auto ip = ParseIp("2001:db8:1:2:3:4:5:6");
    ip->Mask(64);
    REQUIRE(ip == ParseIp("2001:db8:1:2::"));
    ip->Mask(33);
    REQUIRE(ip == ParseIp("2001:db8::"));
    ip->Mask(0);
    REQUIRE(ip == ParseIp("::"));
}
