#include "core/rpc/msgpack.hpp"

#include <catch2/catch.hpp>

#include "core/rpc/hex_for_test.hpp"
#include "core/rpc/sample_for_test.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

std::string Written(const RpcValue& value, const RpcType& type) {
    Buffer out;
    WriteMsgpack(value, type, out);
    return ToHex(out.view());
}

bool Read(std::string_view hex, const RpcType& type, RpcValue& out) {
    std::string problem;
    bool good = ReadMsgpack(FromHex(hex), type, out, problem);
    REQUIRE(good == problem.empty());
    return good;
}

}  // namespace

TEST_CASE("msgpack: whole numbers have 64 bits, structs Go's names") {
    REQUIRE(Written(RpcValue(int64_t{1}), {RpcKind::kInt}) == "d30000000000000001");
    REQUIRE(Written(RpcValue(uint64_t{1}), {RpcKind::kUint}) == "cf0000000000000001");
    REQUIRE(Written(RpcValue(1.0), {RpcKind::kDouble}) == "cb3ff0000000000000");
    REQUIRE(Written(RpcValue(1e300), {RpcKind::kDouble}) == "cb7e37e43c8800759c");
    REQUIRE(Written(RpcValue(0.5), {RpcKind::kFloat}) == "ca3f000000");
    REQUIRE(Written(RpcValue(true), RpcType::Bool()) == "c3");
    REQUIRE(Written(RpcValue("http"), RpcType::Text()) == "a468747470");
    REQUIRE(Written(RpcValue(), RpcType::TextList()) == "c0");
    RpcValue list(RpcValue::List{RpcValue(RpcValue::List{sample::Worker()})});
    std::string workers = Written(list, RpcType::Struct(sample::kWorkers));
    REQUIRE(workers.find("81a7576f726b6572739188a3506964d30000000000005af6") == 0);
    REQUIRE(workers.find("aa43505550657263656e74cb3fe88ff5893c0437") != std::string::npos);
}

TEST_CASE("msgpack: a request of PHP's client") {
    RpcValue out;
    REQUIRE(Read("a468747470", RpcType::Text(), out));
    REQUIRE(out.text() == "http");
    REQUIRE(Read("c3", RpcType::Bool(), out));
    REQUIRE(out.flag());
    // {name: a, Value: 1, labels: [x]}
    REQUIRE(Read("83 a46e616d65 a161 a556616c7565 01 a66c6162656c73 91a178",
                 RpcType::Struct(sample::kMetric), out));
    REQUIRE(out[0].text() == "a");
    REQUIRE(out[1].number() == 1);
    REQUIRE(out[2][0].text() == "x");
    REQUIRE(Read("ff", {RpcKind::kInt}, out));
    REQUIRE(out.integer() == -1);
    REQUIRE(Read("c403010203", RpcType::ByteString(), out));
    REQUIRE(out.text() == "\x01\x02\x03");
}

TEST_CASE("msgpack: what is cut, too deep or of another type is refused") {
    RpcValue out;
    auto metric = RpcType::Struct(sample::kMetric);
    REQUIRE_FALSE(Read("", metric, out));
    REQUIRE_FALSE(Read("83 a46e616d65", metric, out));
    REQUIRE_FALSE(Read("ddffffffff", RpcType::TextList(), out));
    REQUIRE_FALSE(Read("81 a46e616d65 01", metric, out));
    REQUIRE_FALSE(Read("c7 01 01 00", metric, out));
    REQUIRE_FALSE(Read("c1", metric, out));
    std::string deep;
    for (int i = 0; i < 1000; ++i) {
        deep += "91";
    }
    REQUIRE_FALSE(Read(deep + "01", RpcType::TextList(), out));
}
