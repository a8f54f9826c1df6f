#include "plugins/kv/request.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::kv;

TEST_CASE("kv: the captured request of the PHP client") {
    // storage mem, k => s:1:"v";
    Request request;
    REQUIRE(ReadRequest("\x0a\x03mem\x12\x0d\x0a\x01k\x12\x08s:1:\"v\";", request));
    REQUIRE(request.storage == "mem");
    REQUIRE(request.items.size() == 1);
    REQUIRE(request.items[0].key == "k");
    REQUIRE(request.items[0].value == "s:1:\"v\";");
    REQUIRE(request.items[0].timeout.empty());

    REQUIRE(ReadRequest("\x0a\x03mem\x12\x03\x0a\x01k\x12\x03\x0a\x01z", request));
    REQUIRE(request.items.size() == 2);
    REQUIRE(request.items[1].key == "z");
    REQUIRE(ReadRequest("", request));
    REQUIRE(request.storage.empty());
    REQUIRE(request.items.empty());
}

TEST_CASE("kv: unknown fields of a request are passed over, damage is seen") {
    Request request;
    // 9: varint, 10: fixed64, 11: bytes, 12: fixed32; in an item 7: varint
    const std::string wire =
        "\x48\xff\x01\x51"
        "12345678"
        "\x5a\x01x\x65"
        "1234"
        "\x12\x05\x38\x01\x0a\x01k\x0a\x01s";
    REQUIRE(ReadRequest(wire, request));
    REQUIRE(request.storage == "s");
    REQUIRE(request.items.size() == 1);
    REQUIRE(request.items[0].key == "k");
    for (const char* damaged : {"\x0a", "\x0a\x05mem", "\x12\x03\x0a\x05k",
                                "\x51"
                                "1234",
                                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0b"}) {
        REQUIRE_FALSE(ReadRequest(damaged, request));
    }
}

TEST_CASE("kv: what is found is written as the captured answer") {
    Found found;
    found.AddValue("k", "s:1:\"v\";");
    REQUIRE(found.wire() == Bytes("\x0a\x0d\x0a\x01k\x12\x08s:1:\"v\";"));
    REQUIRE(found.count() == 1);
    Found more;
    more.Add("k");
    more.AddTimeout("k", "t");
    more.AddValue("", "");
    more.AddValue("k", std::string(300, 'v'));
    REQUIRE(more.count() == 4);
    REQUIRE(more.wire() ==
            "\x0a\x03\x0a\x01k"
            "\x0a\x06\x0a\x01k\x1a\x01t" +
                std::string("\x0a\x00", 2) + "\x0a\xb2\x02\x0a\x01k\x12\xac\x02" +
                std::string(300, 'v'));
}
