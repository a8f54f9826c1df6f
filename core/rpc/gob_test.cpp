#include "core/rpc/gob.hpp"

#include <catch2/catch.hpp>

#include "core/rpc/hex_for_test.hpp"
#include "core/rpc/sample_for_test.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

std::string Written(const RpcValue& value, const RpcType& type) {
    Buffer out;
    WriteGob(value, type, out);
    return ToHex(out.view());
}

std::string Hex(std::string_view text) { return ToHex(FromHex(text)); }

constexpr std::string_view kWorkersType =
    "24 7f 03 01 01 0a 57 6f 72 6b 65 72 4c 69 73 74 01 ff 80 00 01 01 01 07 57 6f 72 6b 65 72 73 "
    "01 ff 84 00 00 00 1f ff 83 02 01 01 10 5b 5d 2a 70 72 6f 63 65 73 73 2e 53 74 61 74 65 01 ff "
    "84 00 01 ff 82 00 00 71 ff 81 03 01 02 ff 82 00 01 08 01 03 50 69 64 01 04 00 01 06 53 74 61 "
    "74 75 73 01 04 00 01 08 4e 75 6d 45 78 65 63 73 01 06 00 01 07 43 72 65 61 74 65 64 01 04 00 "
    "01 0b 4d 65 6d 6f 72 79 55 73 61 67 65 01 06 00 01 0a 43 50 55 50 65 72 63 65 6e 74 01 08 00 "
    "01 07 43 6f 6d 6d 61 6e 64 01 0c 00 01 09 53 74 61 74 75 73 53 74 72 01 0c 00 00 00";

}  // namespace

TEST_CASE("gob: scalars are written as Go writes them") {
    REQUIRE(Written(RpcValue(true), RpcType::Bool()) == Hex("03 02 00 01"));
    REQUIRE(Written(RpcValue("3"), RpcType::Text()) == Hex("04 0c 00 01 33"));
    REQUIRE(Written(RpcValue(int64_t{-1}), {RpcKind::kInt}) == Hex("03 04 00 01"));
    REQUIRE(Written(RpcValue(uint64_t{300}), {RpcKind::kUint}) == Hex("05 06 00 fe 01 2c"));
}

TEST_CASE("gob: a list of texts has its type in front") {
    RpcValue list(RpcValue::List{RpcValue("http"), RpcValue("jobs")});
    REQUIRE(
        Written(list, RpcType::TextList()) ==
        Hex("0b 7f 02 01 02 ff 80 00 01 0c 00 00  0e ff 80 00 02 04 68 74 74 70 04 6a 6f 62 73"));
    REQUIRE(Written(RpcValue(), RpcType::TextList()) ==
            Hex("0b 7f 02 01 02 ff 80 00 01 0c 00 00  04 ff 80 00 00"));
}

TEST_CASE("gob: the list of workers is RoadRunner's, byte for byte") {
    RpcValue one(RpcValue::List{RpcValue(RpcValue::List{sample::Worker()})});
    std::string written = Written(one, RpcType::Struct(sample::kWorkers));
    std::string type = Hex(kWorkersType);
    REQUIRE(written.substr(0, type.size()) == type);
    REQUIRE(written.substr(type.size()) ==
            Hex("2f ff 80 01 01 01 fe b5 ec 01 02 01 01 01 f8 31 d3 e1 db fa e0 8b 10 01 fc 01 d5 "
                "40 00 01 f8 37 04 3c 89 f5 8f e8 3f 02 05 72 65 61 64 79 00 00"));
    REQUIRE(Written(RpcValue(RpcValue::List{RpcValue()}), RpcType::Struct(sample::kWorkers)) ==
            type + Hex("03 ff 80 00"));
}

TEST_CASE("gob: a list of structs, and maps") {
    std::string list = Written(RpcValue(), RpcType::StructList(sample::kState));
    // Go numbers a slice behind its item and sends it first.
    REQUIRE(list.substr(0, 28) == Hex("0d ff 81 02 01 02 ff 82 00 01 ff 80 00 00"));
    REQUIRE(list.substr(list.size() - 10) == Hex("04 ff 82 00 00"));
    RpcValue all(RpcValue::List(12));
    REQUIRE_FALSE(Written(all, RpcType::Struct(sample::kAll)).empty());
}

TEST_CASE("gob: arguments are bools, numbers and texts") {
    RpcValue out;
    std::string problem;
    REQUIRE(ReadGob(FromHex("03 02 00 01"), RpcType::Bool(), out, problem));
    REQUIRE(out.flag());
    REQUIRE(ReadGob(FromHex("03 02 00 00"), RpcType::Bool(), out, problem));
    REQUIRE_FALSE(out.flag());
    REQUIRE(ReadGob(FromHex("07 0c 00 04 68 74 74 70"), RpcType::Text(), out, problem));
    REQUIRE(out.text() == "http");
    REQUIRE(ReadGob(FromHex("06 0a 00 03 01 02 03"), RpcType::ByteString(), out, problem));
    REQUIRE(out.text() == "\x01\x02\x03");
    REQUIRE(ReadGob(FromHex("05 04 00 fe 02 57"), {RpcKind::kInt}, out, problem));
    REQUIRE(out.integer() == -300);
}

TEST_CASE("gob: what does not fit is refused") {
    RpcValue out;
    std::string problem;
    for (const char* bad : {"", "03", "03 02 00", "04 02 00 01", "03 0c 00 01", "03 02 01 01",
                            "03 02 00 02", "07 0c 00 05 68 74 74 70", "ff ff", "02 7f 03"}) {
        CAPTURE(bad);
        REQUIRE_FALSE(ReadGob(FromHex(bad), RpcType::Bool(), out, problem));
        REQUIRE_FALSE(ReadGob(FromHex(bad), RpcType::Struct(sample::kMetric), out, problem));
        REQUIRE(problem.find("gob: ") == 0);
    }
}
