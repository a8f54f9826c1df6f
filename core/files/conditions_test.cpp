#include "core/files/conditions.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::files;

namespace {

constexpr Bytes kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr Bytes kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
const Validators kStrong{"\"a\"", 784111777};
const Validators kWeak{"W/\"a\"", 784111777};

ConditionFields Fields(Bytes name, Bytes value) {
    ConditionFields fields;
    fields.Take(name, value);
    return fields;
}
Verdict Get(Bytes name, Bytes value, const Validators& file = kStrong) {
    return Judge(Fields(name, value), file, true);
}

}  // namespace

TEST_CASE("conditions: the fields are found in any case, the first of each counts") {
    ConditionFields fields;
    fields.Take("Host", "x");
    fields.Take("Referer", "x");
    REQUIRE_FALSE(fields.any());
    fields.Take("iF-nONE-mATCH", "\"a\"");
    fields.Take("If-None-Match", "\"b\"");
    REQUIRE(fields.any());
    REQUIRE(fields.if_none_match == "\"a\"");
}

TEST_CASE("conditions: If-None-Match") {
    REQUIRE(Get("If-None-Match", "\"a\"") == Verdict::kNotModified);
    REQUIRE(Get("If-None-Match", "W/\"a\"") == Verdict::kNotModified);
    REQUIRE(Get("If-None-Match", "\"a\"", kWeak) == Verdict::kNotModified);
    REQUIRE(Get("If-None-Match", "\"x\" , W/\"y\",\"a\"") == Verdict::kNotModified);
    REQUIRE(Get("If-None-Match", "*") == Verdict::kNotModified);
    REQUIRE(Get("If-None-Match", "\"b\"") == Verdict::kSend);
    REQUIRE(Get("If-None-Match", "a") == Verdict::kSend);
    REQUIRE(Get("If-None-Match", "\"a") == Verdict::kSend);
    REQUIRE(Get("If-None-Match", "\"\"", Validators{"", 1}) == Verdict::kSend);
    REQUIRE(Judge(Fields("If-None-Match", "\"a\""), kStrong, false) ==
            Verdict::kPreconditionFailed);
}

TEST_CASE("conditions: If-Modified-Since, which If-None-Match overrules") {
    REQUIRE(Get("If-Modified-Since", kDate) == Verdict::kNotModified);
    REQUIRE(Get("If-Modified-Since", kEarlier) == Verdict::kSend);
    REQUIRE(Get("If-Modified-Since", "yesterday") == Verdict::kSend);
    REQUIRE(Judge(Fields("If-Modified-Since", kDate), kStrong, false) == Verdict::kSend);
    ConditionFields both = Fields("If-Modified-Since", kDate);
    both.Take("If-None-Match", "\"b\"");
    REQUIRE(Judge(both, kStrong, true) == Verdict::kSend);
}

TEST_CASE("conditions: If-Match is strong") {
    REQUIRE(Get("If-Match", "\"a\"") == Verdict::kSend);
    REQUIRE(Get("If-Match", "*") == Verdict::kSend);
    REQUIRE(Get("If-Match", "\"b\", \"a\"") == Verdict::kSend);
    REQUIRE(Get("If-Match", "\"b\"") == Verdict::kPreconditionFailed);
    REQUIRE(Get("If-Match", "W/\"a\"", kWeak) == Verdict::kPreconditionFailed);
    REQUIRE(Get("If-Match", "\"a\"", Validators{"", 1}) == Verdict::kPreconditionFailed);
}

TEST_CASE("conditions: If-Match may be met while the tag is being computed, a range is not") {
    const Validators pending{"", 784111777, "\"13-"};
    REQUIRE(Get("If-Match", "\"13-4037175136\"", pending) == Verdict::kSend);
    REQUIRE(Get("If-Match", "\"b\" , \"13-1\"", pending) == Verdict::kSend);
    REQUIRE(Get("If-Match", "*", pending) == Verdict::kSend);
    for (Bytes other : {"\"14-4037175136\"", "\"1\"", "W/\"13-1\"", "13-1", "\"13-1"}) {
        INFO(other);
        REQUIRE(Get("If-Match", other, pending) == Verdict::kPreconditionFailed);
    }
    REQUIRE(Get("If-None-Match", "\"13-1\"", pending) == Verdict::kSend);
    REQUIRE_FALSE(RangeCounts(Fields("If-Match", "\"13-1\""), pending));
    REQUIRE_FALSE(RangeCounts(Fields("If-Range", "\"13-1\""), pending));
    REQUIRE(RangeCounts(Fields("If-Range", kDate), pending));
    REQUIRE(RangeCounts({}, pending));
}

TEST_CASE("conditions: If-Unmodified-Since") {
    REQUIRE(Get("If-Unmodified-Since", kDate) == Verdict::kSend);
    REQUIRE(Get("If-Unmodified-Since", kEarlier) == Verdict::kPreconditionFailed);
    REQUIRE(Get("If-Unmodified-Since", "soon") == Verdict::kSend);
}

TEST_CASE("conditions: If-Range wants the very same file") {
    const auto counts = [](Bytes value, const Validators& file) {
        return RangeCounts(Fields("If-Range", value), file);
    };
    REQUIRE(RangeCounts({}, kStrong));
    REQUIRE(counts("\"a\"", kStrong));
    REQUIRE_FALSE(counts("\"b\"", kStrong));
    REQUIRE_FALSE(counts("\"a\" x", kStrong));
    REQUIRE_FALSE(counts("W/\"a\"", kWeak));
    REQUIRE(counts(kDate, kStrong));
    REQUIRE_FALSE(counts(kEarlier, kStrong));
    REQUIRE_FALSE(counts("Mon, 07 Nov 1994 08:49:37 GMT", kStrong));
    REQUIRE_FALSE(counts("nonsense", kStrong));
}
