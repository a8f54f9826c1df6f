#include "relay/frame_v2.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace rr::relay::v2 {
namespace {

constexpr uint64_t kNoLimit = UINT64_MAX;

std::string Encode(uint8_t flags, uint64_t payload) {
    std::string out(kPrefixSize, '\xFF');
    EncodePrefix({flags, payload}, out.data());
    return out;
}

// flags, then the length in its lowest byte from both ends.
std::string Wire(uint8_t flags, uint8_t length) {
    std::string bytes(kPrefixSize, '\0');
    bytes[0] = static_cast<char>(flags);
    bytes[1] = static_cast<char>(length);
    bytes[16] = static_cast<char>(length);
    return bytes;
}

struct Example {
    const char* name;
    uint8_t first;  // on the wire
    uint8_t length;
    uint8_t flags;
    std::string_view payload;
};

constexpr std::string_view kRpcHeader("http.Workers\0\0\0\0\0\0\0\0", 20);

// Bytes that PHP's goridge 2.4 writes.
const Example kExamples[] = {
    {"pid request", 0x10, 0x0b, flag::kControl, R"({"pid":100})"},
    {"pid reply", 0x10, 0x0c, flag::kControl, R"({"pid":4242})"},
    {"context", 0x14, 0x0e, flag::kControl | flag::kRaw, R"({"status":200})"},
    {"body", 0x04, 0x05, flag::kRaw, "hello"},
    {"null context", 0x12, 0x00, flag::kControl | flag::kNone, ""},
    {"error", 0x1c, 0x04, flag::kControl | flag::kRaw | flag::kError, "boom"},
    {"rpc header", 0x14, 0x14, flag::kControl | flag::kRaw, kRpcHeader},
    {"rpc json body", 0x00, 0x04, 0, "true"},
};

}  // namespace

TEST_CASE("frame v2: every example of the protocol is written byte for byte") {
    for (const Example& e : kExamples) {
        INFO(e.name);
        REQUIRE(Encode(e.flags, e.payload.size()) == Wire(e.first, e.length));
    }
}

TEST_CASE("frame v2: every example of the protocol is read, and not before it is complete") {
    for (const Example& e : kExamples) {
        INFO(e.name);
        std::string bytes = Wire(e.first, e.length).append(e.payload);
        Prefix p;
        for (size_t n = 0; n < kPrefixSize; ++n) {
            REQUIRE(ScanPrefix({bytes.data(), n}, kNoLimit, p) == Scan::kNeedMore);
        }
        REQUIRE(ScanPrefix(bytes, kNoLimit, p) == Scan::kPrefix);
        REQUIRE(p.flags == e.flags);
        REQUIRE(p.payload == e.payload.size());
    }
}

TEST_CASE("frame v2: the two lengths run in opposite directions") {
    std::string bytes = Encode(flag::kRaw, 0x0102030405060708U);
    REQUIRE(bytes == std::string("\x04\x08\x07\x06\x05\x04\x03\x02\x01"
                                 "\x01\x02\x03\x04\x05\x06\x07\x08",
                                 kPrefixSize));
    Prefix p;
    REQUIRE(ScanPrefix(bytes, kNoLimit, p) == Scan::kPrefix);
    REQUIRE(p.payload == 0x0102030405060708U);
    REQUIRE(ScanPrefix(Encode(0, UINT64_MAX), kNoLimit, p) == Scan::kPrefix);
    REQUIRE(p.payload == UINT64_MAX);
}

TEST_CASE("frame v2: any difference between the two lengths is refused") {
    const std::string good = Encode(flag::kRaw, 0x0102030405060708U);
    Prefix p;
    for (size_t i = 1; i < kPrefixSize; ++i) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
        REQUIRE(ScanPrefix(bytes, kNoLimit, p) == Scan::kMismatch);
    }
    REQUIRE(ScanPrefix("Could not open input file: worker.php", kNoLimit, p) == Scan::kMismatch);
}

TEST_CASE("frame v2: a message without payload has length 0 whatever the field says") {
    Prefix p;
    std::string bytes = Wire(flag::kControl | flag::kNone, 9);
    REQUIRE(ScanPrefix(bytes, 0, p) == Scan::kPrefix);
    REQUIRE(p.payload == 0);
    REQUIRE(Encode(flag::kControl | flag::kNone, 9) == Wire(flag::kControl | flag::kNone, 0));
    bytes[16] = 8;  // but the two must agree
    REQUIRE(ScanPrefix(bytes, 0, p) == Scan::kMismatch);
}

TEST_CASE("frame v2: a payload above the limit is refused and the prefix left as it was") {
    Prefix p{flag::kError, 7};
    REQUIRE(ScanPrefix(Encode(flag::kRaw, 1001), 1000, p) == Scan::kTooLarge);
    REQUIRE(p.flags == flag::kError);
    REQUIRE(p.payload == 7);
    REQUIRE(ScanPrefix(Encode(flag::kRaw, 1000), 1000, p) == Scan::kPrefix);
    REQUIRE(p.payload == 1000);
}

}  // namespace rr::relay::v2
