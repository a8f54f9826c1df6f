#include "core/net/proxy_header.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace rr::net {
namespace {

using namespace std::string_literals;
using Status = ProxyHeader::Status;

const std::string kSignature = "\x0d\x0a\x0d\x0a\x00\x0d\x0aQUIT\x0a"s;
const std::string kIpv4 = "\xcb\x00\x71\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb"s;
const std::string kIpv6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
    "\x9c\x40\x01\xbb"s;

std::string Binary(uint8_t command, uint8_t family, const std::string& block) {
    std::string header = kSignature;
    header += static_cast<char>(command);
    header += static_cast<char>(family);
    header += static_cast<char>(block.size() >> 8);
    header += static_cast<char>(block.size() & 255);
    return header + block;
}

// Complete with and without something behind it, and never before its last byte.
void RequirePeer(const std::string& header, std::string_view peer) {
    CAPTURE(header);
    for (size_t size = 0; size < header.size(); ++size) {
        CAPTURE(size);
        REQUIRE(ReadProxyHeader(header.substr(0, size)).status == Status::kNeedMore);
    }
    for (const char* behind : {"", "x", "\r\n", "PROXY TCP4 "}) {
        ProxyHeader h = ReadProxyHeader(header + behind);
        REQUIRE(h.status == Status::kComplete);
        REQUIRE(h.size == header.size());
        REQUIRE(h.peer == peer);
    }
}

void RequireInvalid(const std::string& header) {
    CAPTURE(header);
    ProxyHeader h = ReadProxyHeader(header);
    REQUIRE(h.status == Status::kInvalid);
    REQUIRE_FALSE(std::string_view(h.fault).empty());
}

}  // namespace

TEST_CASE("proxy header: version 1") {
    RequirePeer("PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n", "203.0.113.7:40000");
    RequirePeer("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                "255.255.255.255:65535");
    RequirePeer("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0");
    RequirePeer("PROXY TCP6 2001:db8::1 2001:db8::2 40000 443\r\n", "[2001:db8::1]:40000");
    RequirePeer("PROXY TCP6 2001:0DB8:0:0:0:0:0:1 ::1 40000 443\r\n", "[2001:db8::1]:40000");
    RequirePeer("PROXY UNKNOWN\r\n", "");
    RequirePeer("PROXY UNKNOWN whatever  a proxy \r writes\r\n", "");
    std::string full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    RequirePeer("PROXY TCP6 " + full + " " + full + " 65535 65535\r\n", "[" + full + "]:65535");
    std::string longest = "PROXY UNKNOWN " + full + " " + full + " 65535 65535\r\n";
    REQUIRE(longest.size() == 107);
    RequirePeer(longest, "");
}

TEST_CASE("proxy header: a line that is not exactly so is refused") {
    for (const char* line : {"PROXY TCP4 203.0.113.7 198.51.100.1 40000 65536",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 01 2",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 00",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 ",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1  2",
                             "PROXY TCP4  1.2.3.4 1.2.3.4 1 2",
                             "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 ",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 0x2",
                             "PROXY TCP4 1.2.3 1.2.3.4 1 2",
                             "PROXY TCP4 01.2.3.4 1.2.3.4 1 2",
                             "PROXY TCP4 1.2.3.4 1.2.3.256 1 2",
                             "PROXY TCP4 ::1 ::1 1 2",
                             "PROXY TCP6 1.2.3.4 1.2.3.4 1 2",
                             "PROXY TCP6 :::1 ::1 1 2",
                             "PROXY TCP6 [::1] [::1] 1 2",
                             "PROXY TCP6 fe80::1%eth0 ::1 1 2",
                             "PROXY TCP4",
                             "PROXY tcp4 1.2.3.4 1.2.3.4 1 2",
                             "PROXY UDP4 1.2.3.4 1.2.3.4 1 2",
                             "PROXY UNKNOWNX",
                             "PROXY ",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"}) {
        RequireInvalid(std::string(line) + "\r\n");
    }
    RequireInvalid("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"s);
}

TEST_CASE("proxy header: a line that does not end within 107 bytes is refused") {
    std::string line = "PROXY UNKNOWN " + std::string(92, 'x');
    REQUIRE(line.size() == 106);
    REQUIRE(ReadProxyHeader(line).status == Status::kNeedMore);
    RequireInvalid(line + "\r");
    RequireInvalid(line + "\r\n");
}

TEST_CASE("proxy header: version 2") {
    RequirePeer(Binary(0x21, 0x11, kIpv4), "203.0.113.7:40000");
    RequirePeer(Binary(0x21, 0x12, kIpv4), "203.0.113.7:40000");
    RequirePeer(Binary(0x21, 0x21, kIpv6), "[2001:db8::1]:40000");
    RequirePeer(Binary(0x21, 0x22, kIpv6), "[2001:db8::1]:40000");
    RequirePeer(Binary(0x21, 0x11, kIpv4 + "\x04\x00\x03zzz"s), "203.0.113.7:40000");
}

TEST_CASE("proxy header: version 2 that names nobody") {
    RequirePeer(Binary(0x20, 0x00, ""), "");
    RequirePeer(Binary(0x20, 0x11, kIpv4), "");
    RequirePeer(Binary(0x20, 0xff, "ignored"), "");
    RequirePeer(Binary(0x21, 0x00, ""), "");
    RequirePeer(Binary(0x21, 0x00, "ignored"), "");
    RequirePeer(Binary(0x21, 0x10, ""), "");
    RequirePeer(Binary(0x21, 0x31, std::string(216, 'p')), "");
    RequirePeer(Binary(0x21, 0x32, std::string(216, '\0')), "");
}

TEST_CASE("proxy header: version 2 that is broken is refused") {
    RequireInvalid(Binary(0x11, 0x11, kIpv4));
    RequireInvalid(Binary(0x31, 0x11, kIpv4));
    RequireInvalid(Binary(0x22, 0x11, kIpv4));
    RequireInvalid(Binary(0x21, 0x41, kIpv4));
    RequireInvalid(Binary(0x21, 0x13, kIpv4));
    RequireInvalid(Binary(0x21, 0x11, kIpv4.substr(1)));
    RequireInvalid(Binary(0x21, 0x21, kIpv4));
    RequireInvalid(Binary(0x21, 0x31, std::string(215, 'p')));
    // As soon as the byte that is wrong is there.
    RequireInvalid(kSignature + "\x31");
    RequireInvalid(kSignature + "\x2f");
}

TEST_CASE("proxy header: version 2 takes 4096 bytes and no more") {
    RequirePeer(Binary(0x21, 0x11, kIpv4 + std::string(4096 - 16 - 12, 't')), "203.0.113.7:40000");
    RequireInvalid(Binary(0x21, 0x11, kIpv4 + std::string(4096 - 16 - 11, 't')));
    RequireInvalid(Binary(0x20, 0x00, std::string(65535, 't')).substr(0, 16));
}

TEST_CASE("proxy header: what begins otherwise is refused with its first wrong byte") {
    REQUIRE(ReadProxyHeader("").status == Status::kNeedMore);
    for (const char* other :
         {"G", "\x16\x03\x01", "P ", "PR0", "PROXYX", "\n", "\r\r", "\r\n\r\n\r", "proxy"}) {
        RequireInvalid(other);
    }
}

}  // namespace rr::net
