#include "cmd/rr/cells.hpp"

#include <catch2/catch.hpp>

using namespace rr::cmd;
using namespace std::chrono_literals;

TEST_CASE("cells: numbers have commas") {
    REQUIRE(WithCommas(0) == "0");
    REQUIRE(WithCommas(999) == "999");
    REQUIRE(WithCommas(1000) == "1,000");
    REQUIRE(WithCommas(1234567) == "1,234,567");
}

TEST_CASE("cells: memory has powers of 1000 and one decimal below 10") {
    REQUIRE(MemorySize(0) == "0 B");
    REQUIRE(MemorySize(9) == "9 B");
    REQUIRE(MemorySize(82) == "82 B");
    REQUIRE(MemorySize(1800000) == "1.8 MB");
    REQUIRE(MemorySize(28950000) == "29 MB");
    REQUIRE(MemorySize(9960) == "10 kB");
    REQUIRE(MemorySize(UINT64_MAX) == "18 EB");
}

TEST_CASE("cells: an age in words, as RoadRunner's tables have it") {
    REQUIRE(Age(0s) == "now");
    REQUIRE(Age(1s) == "1 second ago");
    REQUIRE(Age(59s) == "59 seconds ago");
    REQUIRE(Age(60s) == "1 minute ago");
    REQUIRE(Age(22min) == "22 minutes ago");
    REQUIRE(Age(1h) == "1 hour ago");
    REQUIRE(Age(23h) == "23 hours ago");
    REQUIRE(Age(24h) == "1 day ago");
    REQUIRE(Age(3 * 24h) == "3 days ago");
    REQUIRE(Age(8 * 24h) == "1 week ago");
    REQUIRE(Age(20 * 24h) == "2 weeks ago");
    REQUIRE(Age(31 * 24h) == "1 month ago");
    REQUIRE(Age(100 * 24h) == "3 months ago");
    REQUIRE(Age(361 * 24h) == "1 year ago");
    REQUIRE(Age(600 * 24h) == "2 years ago");
    REQUIRE(Age(40 * 361 * 24h) == "a long while ago");
}

TEST_CASE("cells: how long something lasts") {
    REQUIRE(Lasting(0ms) == "0ms");
    REQUIRE(Lasting(999ms) == "999ms");
    REQUIRE(Lasting(1290ms) == "1.2s");
    REQUIRE(Lasting(59990ms) == "59.9s");
    REQUIRE(Lasting(125s) == "2m05s");
    REQUIRE(Lasting(200min) == "3h20m");
    REQUIRE(Percent(1.166) == "1.17");
}

TEST_CASE("cells: what could move the cursor is taken out") {
    REQUIRE(Harmless("GET /\x1b[2Jx\x7f") == "GET /?[2Jx?");
    REQUIRE(Harmless("a\xC2\x9Bz") == "a?z");
    REQUIRE(Harmless("grün") == "grün");
    REQUIRE(OneLine("op:\n\tinner: why\n") == "op: inner: why");
}

TEST_CASE("cells: texts are cut at characters") {
    REQUIRE(DisplayWidth("größe") == 5);
    REQUIRE(Shortened("abcdef", 6) == "abcdef");
    REQUIRE(Shortened("abcdef", 4) == "abc…");
    REQUIRE(Shortened("äöüß", 3) == "äö…");
    REQUIRE(Shortened("abc", 1) == "…");
    REQUIRE(Shortened("abc", 0).empty());
    REQUIRE(Clipped("a\x1b[32mbc\x1b[0md", 2) == "a\x1b[32mb\x1b[0m");
    REQUIRE(Clipped("a\x1b[32mbc\x1b[0md", 4) == "a\x1b[32mbc\x1b[0md");
    REQUIRE(Clipped("┌──┐", 2) == "┌─");
    REQUIRE(Broken("one two three", 7) == std::vector<std::string>{"one two", "three"});
    REQUIRE(Broken("a verylongword b", 5) == std::vector<std::string>{"a", "verylongword", "b"});
    REQUIRE(Broken("", 5) == std::vector<std::string>{""});
}
