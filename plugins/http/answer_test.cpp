#include "plugins/http/answer.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "context.pb.h"

using namespace rr::http;

namespace {

std::string Show(AnswerFault fault, const Answer& answer) {
    if (fault != AnswerFault::kNone) {
        return Describe(fault);
    }
    std::string out = std::to_string(answer.status);
    for (const AnswerField& field : answer.fields) {
        out += "|" + std::string(field.name) + "=" + std::string(field.value);
    }
    return out;
}

std::string Decode(const std::string& context, uint8_t flags = 0x08, uint64_t body = 0) {
    AnswerDecoder decoder;
    Answer answer;
    return Show(decoder.DecodeCopy(flags, context, body, answer), answer);
}

const std::string kBad = "malformed answer context";

}  // namespace

TEST_CASE("answer: JSON with status and headers in the worker's order") {
    const std::string text =
        R"({"status":201,"headers":{"X-B":["1","2"],"X-A":["\u00e4\n"],"N":[]}})";
    REQUIRE(Decode(text) == "201|X-B=1|X-B=2|X-A=\xc3\xa4\n");
    REQUIRE(Decode(text, 0x00) == Decode(text));
}

TEST_CASE("answer: forms that PHP writes") {
    REQUIRE(Decode(R"({"status":200,"headers":[]})") == "200");
    REQUIRE(Decode(R"({"status":200,"headers":{}})") == "200");
    REQUIRE(Decode(R"({"status":200,"headers":null})") == "200");
    REQUIRE(Decode(R"({"status":200})") == "200");
    REQUIRE(Decode(R"( {"headers":{"A":["x"]},"other":{"deep":[1,2,{"a":null}]},"STATUS":404} )") ==
            "404|A=x");
    REQUIRE(Decode("{}") == "0");
    REQUIRE(Decode(R"({"status":null})") == "0");
    REQUIRE(Decode(R"({"status":-5})") == "-5");
}

TEST_CASE("answer: what is not such an object is refused") {
    for (const char* bad : {"[]",
                            "1",
                            "null",
                            "{",
                            "x",
                            R"({"status":"200"})",
                            R"({"status":200.5})",
                            R"({"status":99999999999999999999})",
                            R"({"status":200,"headers":[1]})",
                            R"({"status":200,"headers":{"A":1}})",
                            R"({"status":200,"headers":{"A":"x"}})",
                            R"({"status":200,"headers":{"A":[1]}})",
                            R"({"status":200,"headers":{"A":["x"]})",
                            R"({"status":200}x)",
                            R"({"status":200}{})",
                            R"({"status":200,"headers":{"A":["\ud800"]}})",
                            R"({"status":200,)",
                            R"({"status":nulx})",
                            "{\"status\":200,\"headers\":{\"A\":[\"\xff\"]}}",
                            "Warning: something"}) {
        INFO(bad);
        REQUIRE(Decode(bad) == kBad);
    }
}

TEST_CASE("answer: an empty context is 200, without a body in any codec") {
    REQUIRE(Decode("", 0x00) == "200");
    REQUIRE(Decode("", 0x08, 5) == "200");
    REQUIRE(Decode("", 0x80, 5) == "200");
    REQUIRE(Decode("", 0x04) == "200");
    REQUIRE(Decode("", 0x04, 5) == "unknown payload type");
}

TEST_CASE("answer: other codec flags are refused") {
    for (int flags : {0x01, 0x04, 0x0c, 0x10, 0x20, 0x88, 0x84, 0xc0}) {
        REQUIRE(Decode("{}", static_cast<uint8_t>(flags)) == "unknown payload type");
    }
}

TEST_CASE("answer: protobuf as generated classes write it") {
    ::http::v1::Response message;
    message.set_status(204);
    (*message.mutable_headers())["X-A"].add_value("1");
    (*message.mutable_headers())["X-A"].add_value(std::string("\xff\0", 2));
    REQUIRE(Decode(message.SerializeAsString(), 0x80) == std::string("204|X-A=1|X-A=\xff\0", 16));
    message.clear_status();
    message.clear_headers();
    (*message.mutable_headers())["Empty"];
    REQUIRE(Decode(message.SerializeAsString(), 0x80) == "0");
    message.set_status(-1);
    REQUIRE(Decode(message.SerializeAsString(), 0x80) == "-1");
}

TEST_CASE("answer: protobuf skips unknown fields and refuses broken ones") {
    using namespace std::string_literals;
    REQUIRE(Decode("\x08\xc8\x01\x18\x05\x25"
                   "abcd"
                   "\x29"
                   "abcdefgh"
                   "\x32\x01x"s,
                   0x80) == "200");
    for (const std::string& bad : {"\x08"s, "\x08\x80"s,
                                   "\x12\x05"
                                   "ab"s,
                                   "\x12\x03\x0a\x05x"s, "\x0b"s, "\x00\x01"s,
                                   "\x25"
                                   "abc"s,
                                   "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
                                   "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"s}) {
        REQUIRE(Decode(bad, 0x80) == kBad);
    }
}

TEST_CASE("answer: a decoder is used again and again, with contexts of any size") {
    AnswerDecoder decoder;
    Answer answer;
    for (size_t size : {10UL, 100000UL, 3000000UL, 10UL}) {
        std::string value(size, 'v');
        std::string text = R"({"status":200,"headers":{"A":[")" + value + R"("]}})";
        REQUIRE(decoder.DecodeCopy(0, text, 0, answer) == AnswerFault::kNone);
        REQUIRE(answer.fields.size() == 1);
        REQUIRE(answer.fields[0].value == value);
        REQUIRE(decoder.DecodeCopy(0, "{", 0, answer) == AnswerFault::kMalformed);
    }
}
