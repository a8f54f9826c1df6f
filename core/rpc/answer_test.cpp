#include "core/rpc/answer.hpp"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::rpc;

namespace {

constexpr uint32_t kLimit = 1 << 20;

std::string FromHex(std::string_view text) {
    std::string bytes;
    std::string digits;
    for (char c : text) {
        if (c == ' ') {
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

// `rpc.Version` with the answer "3", as RoadRunner 2025.1 sent it.
const std::string kVersion =
    FromHex("15080e000000790e76320000 010000000b000000 7270632e56657273696f6e 223322");

}  // namespace

TEST_CASE("answer: a call has the bytes that PHP's client sends") {
    REQUIRE(EncodeCall(1, "rpc.Version", "true") ==
            FromHex("15080f0000001c69ca8a0000 010000000b000000 7270632e56657273696f6e 74727565"));
}

TEST_CASE("answer: a recorded one is read") {
    Answer answer;
    std::string stream = kVersion + "more";
    AnswerScan scan = ScanAnswer(stream, kLimit, answer);
    REQUIRE(scan.status == AnswerStatus::kAnswer);
    REQUIRE(scan.size == kVersion.size());
    REQUIRE(answer.number == 1);
    REQUIRE_FALSE(answer.error);
    REQUIRE(answer.method == "rpc.Version");
    REQUIRE(answer.body == "\"3\"");
}

TEST_CASE("answer: an error is told by its flag") {
    Answer answer;
    std::string frame = FromHex(
        "15482c0000008531be600000 140000000a000000 6e6f737563682e466f6f "
        "7270633a2063616e27742066696e"
        "642073657276696365206e6f737563682e466f6f");
    REQUIRE(ScanAnswer(frame, kLimit, answer).status == AnswerStatus::kAnswer);
    REQUIRE(answer.error);
    REQUIRE(answer.body == "rpc: can't find service nosuch.Foo");
}

TEST_CASE("answer: every part of one needs more") {
    for (size_t n = 0; n < kVersion.size(); ++n) {
        Answer answer;
        INFO(n);
        REQUIRE(ScanAnswer(Bytes(kVersion).substr(0, n), kLimit, answer).status ==
                AnswerStatus::kNeedMore);
    }
}

TEST_CASE("answer: what is no answer is bad") {
    Answer answer;
    REQUIRE(ScanAnswer("HTTP/1.1 400 Bad Request\r\n", kLimit, answer).status ==
            AnswerStatus::kBad);
    // A frame with one option, and a name longer than the payload.
    std::string one = FromHex("14080e000000") + std::string(20, '\0');
    REQUIRE(ScanAnswer(one, kLimit, answer).status == AnswerStatus::kBad);
    std::string longer = kVersion;
    longer[16] = 0x7f;
    REQUIRE(ScanAnswer(longer, kLimit, answer).status == AnswerStatus::kBad);
    REQUIRE(ScanAnswer(kVersion, 5, answer).status == AnswerStatus::kBad);
}
