#include "core/rpc/json.hpp"

#include <catch2/catch.hpp>

#include "core/rpc/base64.hpp"
#include "core/rpc/sample_for_test.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

std::string Written(const RpcValue& value, const RpcType& type) {
    Buffer out;
    WriteJson(value, type, out);
    return std::string(out.view());
}

std::string Text(std::string_view text) { return Written(RpcValue(text), RpcType::Text()); }
std::string Number(double number) { return Written(RpcValue(number), {RpcKind::kDouble}); }

struct Read {
    bool good;
    RpcValue value;
    std::string problem;
};

Read From(std::string_view text, const RpcType& type) {
    Read read;
    read.good = ReadJson(text, type, read.value, read.problem);
    return read;
}

}  // namespace

TEST_CASE("json: texts are escaped as Go does") {
    REQUIRE(Text("a\"b\\c/\n\t\x01") == R"("a\"b\\c/\n\t\u0001")");
    REQUIRE(Text("<a> & é 😀") == "\"\\u003ca\\u003e \\u0026 é 😀\"");
    REQUIRE(Text("x\xE2\x80\xA8y") == R"("x\u2028y")");
    REQUIRE(Text("\xff\xc0z\xed\xa0\x80") == R"("\ufffd\ufffdz\ufffd\ufffd\ufffd")");
}

TEST_CASE("json: numbers are the shortest that read back") {
    REQUIRE(Number(0) == "0");
    REQUIRE(Number(0.78) == "0.78");
    REQUIRE(Number(100) == "100");
    REQUIRE(Number(-1.5) == "-1.5");
    REQUIRE(Number(1e20) == "100000000000000000000");
    REQUIRE(Number(1e21) == "1e+21");
    REQUIRE(Number(1e-7) == "1e-7");
    REQUIRE(Number(1e-10) == "1e-10");
    REQUIRE(Written(RpcValue(0.1), {RpcKind::kFloat}) == "0.1");
    REQUIRE(Written(RpcValue(INT64_MIN), {RpcKind::kInt}) == "-9223372036854775808");
    REQUIRE(Written(RpcValue(UINT64_MAX), {RpcKind::kUint}) == "18446744073709551615");
}

TEST_CASE("json: structs have all fields, messages what is not zero") {
    RpcValue list(RpcValue::List{RpcValue(RpcValue::List{sample::Worker()})});
    REQUIRE(
        Written(list, RpcType::Struct(sample::kWorkers)) ==
        R"({"workers":[{"pid":23286,"status":1,"numExecs":1,"created":1795230831433762184,)"
        R"("memoryUsage":30752768,"CPUPercent":0.7675731354103225,"command":"","statusStr":"ready"}]})");
    REQUIRE(Written(RpcValue(), RpcType::Struct(sample::kWorkers)) == R"({"workers":null})");
    RpcValue message(
        RpcValue::List{RpcValue(""), RpcValue(RpcValue::List{RpcValue(RpcValue::List{
                                         RpcValue("b"), RpcValue("hello"), RpcValue("")})})});
    REQUIRE(Written(message, RpcType::Message(sample::kRequest)) ==
            R"({"items":[{"key":"b","value":"aGVsbG8="}]})");
    REQUIRE(Written(RpcValue(), RpcType::TextList()) == "null");
    REQUIRE(Written(RpcValue(RpcValue::List{}), RpcType::TextList()) == "[]");
}

TEST_CASE("json: keys match without regard to case, unknown ones are ignored") {
    auto read = From(R"({"NAME":"a","Value":2,"labels":["x","y"],"more":{"z":[1]}})",
                     RpcType::Struct(sample::kMetric));
    REQUIRE(read.good);
    REQUIRE(read.value[0].text() == "a");
    REQUIRE(read.value[1].number() == 2);
    REQUIRE(read.value[2].list().size() == 2);
    REQUIRE(read.value[2][1].text() == "y");
}

TEST_CASE("json: null is zero, and PHP's empty array any empty thing") {
    REQUIRE(From("null", RpcType::Struct(sample::kMetric)).good);
    REQUIRE(From("[]", RpcType::Struct(sample::kMetric)).good);
    REQUIRE(From(R"({"name":null,"labels":null})", RpcType::Struct(sample::kMetric)).good);
    auto read = From(R"({"env":[],"items":{"a":{"key":"k"}}})", RpcType::Message(sample::kAll));
    REQUIRE(read.good);
    REQUIRE(read.value[10].list().empty());
    REQUIRE(read.value[11][0][0].text() == "a");
    REQUIRE(read.value[11][0][1][0].text() == "k");
}

TEST_CASE("json: what does not fit its type is named") {
    auto metric = RpcType::Struct(sample::kMetric);
    REQUIRE(From(R"({"name":5})", metric).problem ==
            "json: cannot unmarshal number into field name of type string");
    REQUIRE(From(R"({"labels":{"a":"b"}})", metric).problem ==
            "json: cannot unmarshal object into field labels of type list");
    REQUIRE(From(R"({"labels":[1]})", metric).problem ==
            "json: cannot unmarshal number into field labels of type string");
    REQUIRE(From("1", RpcType::Bool()).problem ==
            "json: cannot unmarshal number into a value of type bool");
    REQUIRE(From("\"\"", RpcType::Bool()).problem ==
            "json: cannot unmarshal string into a value of type bool");
    REQUIRE(From("[1]", metric).problem ==
            "json: cannot unmarshal array into a value of type struct");
    REQUIRE_FALSE(From("1.5", {RpcKind::kInt}).good);
    REQUIRE_FALSE(From("-1", {RpcKind::kUint}).good);
    REQUIRE_FALSE(From("9223372036854775808", {RpcKind::kInt}).good);
    REQUIRE_FALSE(From(R"({"blob":"!"})", RpcType::Message(sample::kAll)).good);
    REQUIRE(From("{", metric).problem.find("json: ") == 0);
    REQUIRE_FALSE(From("", metric).good);
    REQUIRE_FALSE(From("true x", RpcType::Bool()).good);
}

TEST_CASE("json: base64 with and without line ends") {
    std::string out;
    for (auto [text, bytes] :
         {std::pair("", ""), std::pair("aGVsbG8=", "hello"), std::pair("aGVsbG8h", "hello!"),
          std::pair("aA==", "h"), std::pair("aGVs\r\nbG8=", "hello")}) {
        REQUIRE(ReadBase64(text, out));
        REQUIRE(out == bytes);
    }
    for (const char* bad : {"a", "aGVsbG8", "====", "a===", "aA==aA==", "aG=s", "a-b_"}) {
        CAPTURE(bad);
        REQUIRE_FALSE(ReadBase64(bad, out));
    }
}
