#include "core/rpc/wire.hpp"

#include <catch2/catch.hpp>

#include "core/rpc/hex_for_test.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

constexpr uint32_t kMax = 1 << 20;

// Captured from PHP's client.
const std::string kVersion =
    FromHex("15080f0000001c69ca8a0000 010000000b000000 7270632e56657273696f6e 74727565");
const std::string kReset = FromHex(
    "14 1200000000000000 0000000000000012  687474702e5265736574 0000000000000000"
    "00 0400000000000000 0000000000000004  74727565");

}  // namespace

TEST_CASE("rpc wire: a v3 request is split into name and body") {
    Request request;
    std::string more = kVersion + "rest";
    Scan scan = ScanRequest(Dialect::kV3, more, kMax, request);
    REQUIRE(scan.status == ScanStatus::kRequest);
    REQUIRE(scan.size == kVersion.size());
    REQUIRE(request.method == "rpc.Version");
    REQUIRE(request.body == "true");
    REQUIRE(request.id == 1);
    REQUIRE(request.body_codec == Codec::kJson);
    REQUIRE(request.answer_codec == Codec::kJson);
}

TEST_CASE("rpc wire: a v2 request is two messages") {
    REQUIRE(DialectOf(kReset[0]) == Dialect::kV2);
    REQUIRE(DialectOf(kVersion[0]) == Dialect::kV3);
    REQUIRE(DialectOf('\x25') == Dialect::kV3);
    Request request;
    Scan scan = ScanRequest(Dialect::kV2, kReset, kMax, request);
    REQUIRE(scan.status == ScanStatus::kRequest);
    REQUIRE(scan.size == kReset.size());
    REQUIRE(request.method == "http.Reset");
    REQUIRE(request.body == "true");
    REQUIRE(request.id == 0);
}

TEST_CASE("rpc wire: every part of a request waits for the rest") {
    Request request;
    for (size_t size = 0; size < kVersion.size(); ++size) {
        Scan scan = ScanRequest(Dialect::kV3, Bytes(kVersion).substr(0, size), kMax, request);
        REQUIRE(scan.status == ScanStatus::kNeedMore);
        REQUIRE((scan.size == 0 || scan.size == kVersion.size()));
    }
    for (size_t size = 0; size < kReset.size(); ++size) {
        Scan scan = ScanRequest(Dialect::kV2, Bytes(kReset).substr(0, size), kMax, request);
        REQUIRE(scan.status == ScanStatus::kNeedMore);
    }
}

TEST_CASE("rpc wire: what is no request is refused") {
    Request request;
    auto bad = [&](Dialect dialect, const std::string& bytes) {
        return ScanRequest(dialect, bytes, kMax, request).status == ScanStatus::kBad;
    };
    std::string damaged = kVersion;
    damaged[6] = 0;
    REQUIRE(bad(Dialect::kV3, damaged));
    std::string long_name = kVersion;
    long_name[16] = 16;  // the payload has 15 bytes
    REQUIRE(bad(Dialect::kV3, long_name));
    REQUIRE(bad(Dialect::kV3, "Could not open input file: x.php"));
    REQUIRE(bad(Dialect::kV3, "GET / HTTP/1.1\r\n\r\n"));
    REQUIRE(bad(Dialect::kV2, FromHex("14 1200000000000000 0000000000000013")));
    REQUIRE(bad(Dialect::kV2, FromHex("14 0700000000000000 0000000000000007")));
    REQUIRE(bad(Dialect::kV2, FromHex("04 1200000000000000 0000000000000012")));
    REQUIRE(bad(Dialect::kV2, FromHex("14 1200000000000080 8000000000000012")));
}

TEST_CASE("rpc wire: an answer repeats number and name") {
    Buffer out;
    out.Append("before");
    AnswerHead head{Dialect::kV3, Codec::kJson, 1, "rpc.Version"};
    AnswerWriter writer(out, head);
    out.Append("\"3\"");
    REQUIRE(writer.End(Codec::kJson));
    REQUIRE(
        ToHex(out.view().substr(6)) ==
        ToHex(FromHex("15080e000000790e76320000 010000000b000000 7270632e56657273696f6e 223322")));
}

TEST_CASE("rpc wire: an error drops what was written for the answer") {
    Buffer out;
    AnswerHead head{Dialect::kV3, Codec::kJson, 20, "nosuch.Foo"};
    AnswerWriter writer(out, head);
    out.Append("half of an answer");
    writer.Fail("rpc: can't find service nosuch.Foo");
    REQUIRE(ToHex(out.view()) ==
            ToHex(FromHex("15482c0000008531be600000 140000000a000000 6e6f737563682e466f6f"
                          "7270633a2063616e27742066696e642073657276696365206e6f737563682e466f6f")));
}

TEST_CASE("rpc wire: answers of v2 are two messages, errors RAW|ERROR") {
    Buffer out;
    AnswerHead head{Dialect::kV2, Codec::kNone, 0, "http.Reset"};
    AnswerWriter ok(out, head);
    out.Append("\"OK\"");
    REQUIRE(ok.End(Codec::kJson));
    REQUIRE(ToHex(out.view()) ==
            ToHex(FromHex("14 1200000000000000 0000000000000012  687474702e5265736574"
                          "0000000000000000 00 0400000000000000 0000000000000004  224f4b22")));
    out.Clear();
    AnswerWriter raw(out, head);
    REQUIRE(raw.End(Codec::kRaw));
    REQUIRE(out.view().substr(35, 1) == "\x04");
    out.Clear();
    AnswerWriter bad(out, head);
    bad.Fail("no");
    REQUIRE(out.view().substr(35, 1) == "\x0c");
    REQUIRE(out.view().ends_with("no"));
}
