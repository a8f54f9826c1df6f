#include "core/rpc/proto.hpp"

#include <catch2/catch.hpp>

#include "core/rpc/hex_for_test.hpp"
#include "core/rpc/json.hpp"
#include "core/rpc/sample_for_test.hpp"
#include "core/rpc/shape_for_test.hpp"
#include "sample.pb.h"

using namespace rr;
using namespace rr::rpc;

namespace {

sample::All FullMessage() {
    sample::All all;
    all.set_flag(true);
    all.set_whole(-5);
    all.set_natural(UINT64_MAX);
    all.set_real(0.25);
    all.set_small_real(0.5F);
    all.set_text("é");
    all.set_blob(std::string("\0\xff", 2));
    all.mutable_item()->set_key("k");
    all.add_numbers(1);
    all.add_numbers(-1);
    all.add_texts("");
    all.add_texts("b");
    (*all.mutable_env())["A"] = "1";
    (*all.mutable_items())["x"].set_value("v");
    return all;
}

std::string ToJsonText(const RpcValue& value, const RpcShape& shape) {
    Buffer out;
    WriteJson(value, RpcType::Message(shape), out);
    return std::string(out.view());
}

}  // namespace

TEST_CASE("proto: the sample shapes are the messages of sample.proto") {
    REQUIRE(CheckShape(sample::kRequest, "rr.rpc.sample.Request") == "");
    REQUIRE(CheckShape(sample::kAll, "rr.rpc.sample.All") == "");
    REQUIRE(CheckShape(sample::kItem, "rr.rpc.sample.Request") ==
            "rr.rpc.sample.Request: has 2 fields");
}

TEST_CASE("proto: a message survives the way through a value") {
    std::string wire = FullMessage().SerializeAsString();
    REQUIRE(CheckMessage(sample::kAll, wire));
    RpcValue value;
    REQUIRE(ReadMessage(sample::kAll, wire, value));
    REQUIRE(ToJsonText(value, sample::kAll) ==
            R"({"flag":true,"whole":-5,"natural":18446744073709551615,"real":0.25,)"
            R"("small_real":0.5,"text":"é","blob":"AP8=","item":{"key":"k"},"numbers":[1,-1],)"
            R"("texts":["","b"],"env":{"A":"1"},"items":{"x":{"value":"dg=="}}})");
    Buffer again;
    WriteMessage(sample::kAll, value, again);
    sample::All parsed;
    REQUIRE(parsed.ParseFromArray(again.data(), static_cast<int>(again.size())));
    REQUIRE(parsed.SerializeAsString() == wire);
}

TEST_CASE("proto: JSON becomes a message") {
    RpcValue value;
    std::string problem;
    REQUIRE(ReadJson(R"({"storage":"mem","items":[{"key":"k","value":"czoxOiJ2Ijs="}]})",
                     RpcType::Message(sample::kRequest), value, problem));
    Buffer wire;
    WriteMessage(sample::kRequest, value, wire);
    REQUIRE(ToHex(wire.view()) == ToHex(FromHex("0a036d656d120d0a016b1208733a313a2276223b")));
}

TEST_CASE("proto: unknown fields, and known ones of another type, are passed over") {
    // 15: varint, 16: group with a field inside, 1 as varint, then storage
    std::string wire = FromHex("7801 8301 0805 8401 0807 0a0161");
    RpcValue value;
    REQUIRE(CheckMessage(sample::kRequest, wire));
    REQUIRE(ReadMessage(sample::kRequest, wire, value));
    REQUIRE(value[0].text() == "a");
    sample::Request parsed;
    REQUIRE(parsed.ParseFromString(wire));
    REQUIRE(parsed.storage() == "a");
}

TEST_CASE("proto: what generated code refuses is refused") {
    for (const char* bad : {"0a", "0a05 61", "00", "0a01ff", "08", "83 01", "8401", "0f",
                            "12020a05", "ffffffffffffffffffff01", "0affffffffff7f"}) {
        CAPTURE(bad);
        std::string wire = FromHex(bad);
        sample::Request parsed;
        REQUIRE_FALSE(parsed.ParseFromString(wire));
        REQUIRE_FALSE(CheckMessage(sample::kRequest, wire));
    }
}

TEST_CASE("proto: a byte that is no text is found at every place of a short and of a long one") {
    for (size_t size : {1, 7, 8, 9, 63, 64, 65, 200}) {
        for (size_t at = 0; at < size; ++at) {
            sample::Request request;
            request.set_storage(std::string(size, 't'));
            std::string wire = request.SerializeAsString();
            REQUIRE(CheckMessage(sample::kRequest, wire));
            wire[wire.size() - size + at] = '\xff';
            REQUIRE_FALSE(CheckMessage(sample::kRequest, wire));
            request.set_storage(std::string(at, 't') + "é");
            REQUIRE(CheckMessage(sample::kRequest, request.SerializeAsString()));
        }
    }
}
