#include "relay/frame.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace rr::relay {
namespace {

constexpr uint32_t kNoLimit = UINT32_MAX;

// Spaces and `|` between the digits are for the reader.
std::string FromHex(std::string_view text) {
    std::string bytes;
    std::string digits;
    for (char c : text) {
        if (c == ' ' || c == '|') {
            continue;
        }
        digits += c;
        if (digits.size() == 2) {
            bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
            digits.clear();
        }
    }
    return bytes;
}

std::string Encode(const FrameHeader& h, std::string_view payload) {
    std::string out(h.size(), '\xFF');
    EncodeFrameHeader(h, out.data());
    return out.append(payload);
}

FrameHeader Header(uint8_t flags, uint8_t stream, std::vector<uint32_t> options,
                   std::string_view payload) {
    FrameHeader h;
    h.flags = flags;
    h.stream = stream;
    h.options = static_cast<uint8_t>(options.size());
    h.payload = static_cast<uint32_t>(payload.size());
    for (size_t i = 0; i < options.size(); ++i) {
        h.option[i] = options[i];
    }
    return h;
}

// A header that passes the checksum although its first byte is not what we would write.
std::string WithFirstByte(uint8_t first, size_t size) {
    std::string bytes(size, '\0');
    bytes[0] = static_cast<char>(first);
    uint32_t crc = Crc32({bytes.data(), 6});
    for (size_t i = 0; i < 4; ++i) {
        bytes[6 + i] = static_cast<char>(crc >> (8 * i) & 0xFF);
    }
    return bytes;
}

struct Example {
    const char* name;
    const char* hex;
    uint8_t flags;
    uint8_t stream;
    std::vector<uint32_t> options;
    std::string_view payload;
};

// Bytes that PHP's goridge 4 and RoadRunner's own goridge both write.
const Example kExamples[] = {
    {"A pid request",
     "13 09 0b 00 00 00 e6 34 91 ee 00 00 | 7b 22 70 69 64 22 3a 31 30 30 7d",
     flag::kControl | flag::kJson,
     0,
     {},
     R"({"pid":100})"},
    {"B pid reply",
     "13 01 0c 00 00 00 9e 47 36 43 00 00 | 7b 22 70 69 64 22 3a 34 32 34 32 7d",
     flag::kControl,
     0,
     {},
     R"({"pid":4242})"},
    {"C response",
     "14 00 13 00 00 00 5f 19 29 6b 00 00 | 0e 00 00 00 |"
     "7b 22 73 74 61 74 75 73 22 3a 32 30 30 7d 68 65 6c 6c 6f",
     0,
     0,
     {14},
     R"({"status":200}hello)"},
    {"D request",
     "14 80 07 00 00 00 05 69 b4 05 00 00 | 03 00 00 00 | 43 54 58 42 4f 44 59",
     flag::kProto,
     0,
     {3},
     "CTXBODY"},
    {"E stream chunk",
     "14 80 05 00 00 00 8e a1 bd af 05 00 | 00 00 00 00 | 68 65 6c 6c 6f",
     flag::kProto,
     stream::kStream | stream::kPing,
     {0},
     "hello"},
    {"F stream stop", "13 00 00 00 00 00 96 d1 80 34 02 00", 0, stream::kStop, {}, ""},
    {"G pong", "13 00 00 00 00 00 96 d1 80 34 08 00", 0, stream::kPong, {}, ""},
    {"H stop command",
     "13 09 0d 00 00 00 3a 6b fa cb 00 00 | 7b 22 73 74 6f 70 22 3a 74 72 75 65 7d",
     flag::kControl | flag::kJson,
     0,
     {},
     R"({"stop":true})"},
    {"I error", "13 40 04 00 00 00 88 1e 11 e3 00 00 | 62 6f 6f 6d", flag::kError, 0, {}, "boom"},
    {"J replace me",
     "14 00 0d 00 00 00 f3 39 ef db 00 00 | 0d 00 00 00 |"
     "7b 22 73 74 6f 70 22 3a 74 72 75 65 7d",
     0,
     0,
     {13},
     R"({"stop":true})"},
    {"K rpc request",
     "15 08 11 00 00 00 b0 49 0c 3a 00 00 | 01 00 00 00 0d 00 00 00 |"
     "69 6e 66 6f 72 6d 65 72 2e 4c 69 73 74 74 72 75 65",
     flag::kJson,
     0,
     {1, 13},
     "informer.Listtrue"},
};

}  // namespace

TEST_CASE("frame: every example of the protocol is written byte for byte") {
    for (const Example& e : kExamples) {
        INFO(e.name);
        REQUIRE(Encode(Header(e.flags, e.stream, e.options, e.payload), e.payload) ==
                FromHex(e.hex));
    }
}

TEST_CASE("frame: every example of the protocol is read, and not before it is complete") {
    for (const Example& e : kExamples) {
        INFO(e.name);
        std::string bytes = FromHex(e.hex);
        size_t header = kFrameBase + 4 * e.options.size();
        FrameHeader h;
        for (size_t n = 0; n < header; ++n) {
            REQUIRE(ScanFrameHeader({bytes.data(), n}, kNoLimit, h).status ==
                    FrameStatus::kNeedMore);
        }
        h.option.fill(7);  // what a frame before this one left behind
        REQUIRE(ScanFrameHeader(bytes, kNoLimit, h).status == FrameStatus::kHeader);
        REQUIRE(h.size() == header);
        REQUIRE(h.flags == e.flags);
        REQUIRE(h.stream == e.stream);
        REQUIRE(h.options == e.options.size());
        for (size_t i = 0; i < kFrameOptions; ++i) {
            REQUIRE(h.option[i] == (i < e.options.size() ? e.options[i] : 0));
        }
        REQUIRE(bytes.substr(h.size()) == e.payload);
        REQUIRE(h.payload == e.payload.size());
    }
}

TEST_CASE("frame: the ready frames are what the encoder writes") {
    REQUIRE(Bytes(kStopStreamFrame, sizeof kStopStreamFrame) ==
            Encode(Header(0, stream::kStop, {}, ""), ""));
    REQUIRE(Bytes(kPongFrame, sizeof kPongFrame) == Encode(Header(0, stream::kPong, {}, ""), ""));
}

TEST_CASE("frame: ten options pass, eleven and a length below three words are refused") {
    FrameHeader h;
    h.options = kFrameOptions;
    for (uint32_t i = 0; i < kFrameOptions; ++i) {
        h.option[i] = 0xA0B0C0D0U + i;
    }
    std::string bytes = Encode(h, "");
    REQUIRE(bytes.size() == kFrameHeaderMax);
    FrameHeader read;
    REQUIRE(ScanFrameHeader(bytes, 0, read).status == FrameStatus::kHeader);
    REQUIRE(read.option == h.option);

    for (uint8_t words : {0, 1, 2, 14, 15}) {
        INFO(int{words});
        FrameScan scan = ScanFrameHeader(
            WithFirstByte(static_cast<uint8_t>(0x10 | words), kFrameHeaderMax + 8), 0, read);
        REQUIRE(scan.status == FrameStatus::kBad);
        REQUIRE(scan.error == FrameError::kHeaderLength);
    }
}

TEST_CASE("frame: the version nibble is not compared") {
    FrameHeader h;
    for (uint8_t version : {0x00, 0x20, 0xF0}) {
        REQUIRE(ScanFrameHeader(WithFirstByte(version | 3, kFrameBase), 0, h).status ==
                FrameStatus::kHeader);
    }
}

TEST_CASE("frame: each of the checked bytes breaks the checksum, known with ten bytes") {
    const std::string good = FromHex(kExamples[2].hex);
    FrameHeader h;
    for (size_t i = 0; i < 10; ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string bytes = good;
            bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
            FrameScan scan = ScanFrameHeader({bytes.data(), 10}, kNoLimit, h);
            REQUIRE(scan.status == FrameStatus::kBad);
            REQUIRE(scan.error == FrameError::kChecksum);
        }
    }
    for (size_t i : {size_t{10}, size_t{11}, size_t{12}}) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ 0x11);
        REQUIRE(ScanFrameHeader(bytes, kNoLimit, h).status == FrameStatus::kHeader);
    }
}

TEST_CASE("frame: a payload above the limit is refused before its options are waited for") {
    FrameHeader h;
    h.options = 2;
    h.payload = 1001;
    std::string bytes = Encode(h, "");
    FrameHeader read;
    FrameScan scan = ScanFrameHeader({bytes.data(), 10}, 1000, read);
    REQUIRE(scan.status == FrameStatus::kBad);
    REQUIRE(scan.error == FrameError::kTooLarge);
    REQUIRE(ScanFrameHeader(bytes, 1001, read).status == FrameStatus::kHeader);

    h.payload = UINT32_MAX;
    REQUIRE(ScanFrameHeader(Encode(h, ""), kNoLimit, read).status == FrameStatus::kHeader);
    REQUIRE(read.payload == UINT32_MAX);
}

TEST_CASE("frame: php's message about a missing script is told from noise") {
    const std::string text = "Could not open input file: worker.php\n";
    FrameHeader h;
    for (size_t n = 0; n < 12; ++n) {
        REQUIRE(ScanFrameHeader({text.data(), n}, kNoLimit, h).status == FrameStatus::kNeedMore);
    }
    FrameScan scan = ScanFrameHeader(text, kNoLimit, h);
    REQUIRE(scan.status == FrameStatus::kBad);
    REQUIRE(scan.error == FrameError::kScriptMissing);
    scan = ScanFrameHeader("Could not run", kNoLimit, h);
    REQUIRE(scan.error == FrameError::kChecksum);
    scan = ScanFrameHeader("Could notes", kNoLimit, h);
    REQUIRE(scan.error == FrameError::kChecksum);
}

TEST_CASE("frame: a failed scan leaves the header as it was") {
    FrameHeader h;
    h.payload = 77;
    (void)ScanFrameHeader("some text that is no frame", kNoLimit, h);
    (void)ScanFrameHeader(FromHex("14 00 13 00 00 00 5f 19 29 6b 00 00 0e"), kNoLimit, h);
    (void)ScanFrameHeader(FromHex(kExamples[2].hex), 3, h);
    REQUIRE(h.payload == 77);
}

TEST_CASE("frame: the checksum is zlib's, whatever the length") {
    REQUIRE(Crc32("") == 0);
    REQUIRE(Crc32("123456789") == 0xCBF43926U);
    REQUIRE(Crc32("The quick brown fox jumps over the lazy dog") == 0x414FA339U);
    REQUIRE(Crc32(std::string(32, '\0')) == 0x190A55ADU);
    REQUIRE(Crc32(std::string(32, '\xFF')) == 0xFF6CAB0BU);
    // The blocks of eight and the bytes behind them agree with one bit after the other.
    std::string bytes;
    for (int n = 0; n < 64; ++n) {
        uint32_t crc = 0xFFFFFFFFU;
        for (char c : bytes) {
            crc ^= static_cast<unsigned char>(c);
            for (int bit = 0; bit < 8; ++bit) {
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
            }
        }
        REQUIRE(Crc32(bytes) == ~crc);
        bytes += static_cast<char>(n * 37 + 200);
    }
}

TEST_CASE("frame: every error has a text") {
    for (int i = 0; i <= static_cast<int>(FrameError::kScriptMissing); ++i) {
        REQUIRE(std::string_view(Describe(static_cast<FrameError>(i))) != "unknown frame error");
    }
}

}  // namespace rr::relay
