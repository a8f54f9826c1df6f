#include "plugins/kv/timeout.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::kv;

namespace {

int64_t Parsed(std::string_view text) {
    Result<int64_t> at = ParseTimeout(text);
    INFO(text);
    REQUIRE(at.has_value());
    return *at;
}

std::string Refused(std::string_view text) {
    Result<int64_t> at = ParseTimeout(text);
    INFO(text);
    REQUIRE_FALSE(at.has_value());
    return at.error().message;
}

constexpr int64_t kAt = 1'795'225'693'000'000'000;  // 2026-11-21T01:48:13Z

}  // namespace

TEST_CASE("kv: times as clients write them") {
    REQUIRE(Parsed("2026-11-21T01:48:13+00:00") == kAt);
    REQUIRE(Parsed("2026-11-21T01:48:13Z") == kAt);
    REQUIRE(Parsed("2026-11-21T03:18:13+01:30") == kAt);
    REQUIRE(Parsed("2026-11-20T20:48:13-05:00") == kAt);
    REQUIRE(Parsed("2026-11-21T01:48:13.25Z") == kAt + 250'000'000);
    REQUIRE(Parsed("2026-11-21T01:48:13.1234567899Z") == kAt + 123'456'789);
    REQUIRE(Parsed("1970-01-01T00:00:00Z") == 1);
    REQUIRE(Parsed("1969-12-31T23:59:59.5Z") == -500'000'000);
    REQUIRE(Parsed("9999-12-31T23:59:59Z") == INT64_MAX);
    REQUIRE(Parsed("0001-01-01T00:00:00Z") == INT64_MIN);
    REQUIRE(Parsed("2028-02-29T00:00:00Z") == 1'835'395'200'000'000'000);
}

TEST_CASE("kv: what is no time is refused in Go's words") {
    REQUIRE(Refused("10") ==
            "parsing time \"10\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"10\" as "
            "\"2006\"");
    REQUIRE(
        Refused("2026-11-21 01:48:13") ==
        "parsing time \"2026-11-21 01:48:13\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" "
        "01:48:13\" as \"T\"");
    REQUIRE(Refused("2026-11-21T01:48:13") ==
            "parsing time \"2026-11-21T01:48:13\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "
            "\"\" as \"Z07:00\"");
    REQUIRE(Refused("2026-13-21T01:48:13Z") ==
            "parsing time \"2026-13-21T01:48:13Z\": month out of range");
    REQUIRE(Refused("2027-02-29T01:48:13Z") ==
            "parsing time \"2027-02-29T01:48:13Z\": day out of range");
    REQUIRE(Refused("2026-11-21T24:00:00Z") ==
            "parsing time \"2026-11-21T24:00:00Z\": hour out of range");
    REQUIRE(Refused("2026-11-21T01:48:13Zz") ==
            "parsing time \"2026-11-21T01:48:13Zz\": extra text: \"z\"");
    for (const char* text : {"2026", "2026-", "2026-1-1T", "x", "2026-11-21T01:48:13+0a:00",
                             "2026-11-21T01:48:13+00"}) {
        REQUIRE(Refused(text).starts_with("parsing time "));
    }
}

TEST_CASE("kv: times are written in whole seconds of UTC") {
    REQUIRE(FormatTimeout(kAt) == "2026-11-21T01:48:13+00:00");
    REQUIRE(FormatTimeout(kAt + 999'999'999) == "2026-11-21T01:48:13+00:00");
    REQUIRE(Parsed(FormatTimeout(kAt)) == kAt);
}
