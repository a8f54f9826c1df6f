#include "core/base/sip_hash.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr;

TEST_CASE("base: SipHash-1-3 gives the known values") {
    // Key 00 01 .. 0f, inputs of 0, 1 .. bytes 00 01 ..
    const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    std::string input;
    for (int i = 0; i < 16; ++i) {
        input += static_cast<char>(i);
    }
    REQUIRE(SipHash(key, Bytes(input).substr(0, 0)) == 0xabac0158050fc4dc);
    REQUIRE(SipHash(key, Bytes(input).substr(0, 1)) == 0xc9f49bf37d57ca93);
    REQUIRE(SipHash(key, Bytes(input).substr(0, 2)) == 0x82cb9b024dc7d44d);
    REQUIRE(SipHash(key, Bytes(input).substr(0, 8)) == 0x369095118d299a8e);
    REQUIRE(SipHash(key, Bytes(input).substr(0, 15)) == 0xd320d86d2a519956);
}
