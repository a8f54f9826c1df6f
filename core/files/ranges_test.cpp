#include "core/files/ranges.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::files;

namespace {

// `0+5 10+3`, or what it is instead.
std::string Read(Bytes text, uint64_t size) {
    const Ranges ranges = Ranges::Parse(text, size);
    switch (ranges.kind()) {
        case Ranges::Kind::kWhole: return "whole";
        case Ranges::Kind::kNoOverlap: return "no overlap";
        case Ranges::Kind::kBroken: return "broken";
        case Ranges::Kind::kParts: break;
    }
    std::string out;
    for (const ByteRange part : ranges.parts()) {
        out += (out.empty() ? "" : " ") + std::to_string(part.offset) + "+" +
               std::to_string(part.size);
    }
    return out;
}

}  // namespace

TEST_CASE("ranges: the three forms") {
    REQUIRE(Read("bytes=0-4", 13) == "0+5");
    REQUIRE(Read("bytes=5-", 13) == "5+8");
    REQUIRE(Read("bytes=-3", 13) == "10+3");
    REQUIRE(Read("bytes=0-0", 13) == "0+1");
    REQUIRE(Read("bytes= 1 - 2 , 4-4", 13) == "1+2 4+1");
    REQUIRE(Read("bytes=0-1,,3-4,", 13) == "0+2 3+2");
}

TEST_CASE("ranges: they end with the file") {
    REQUIRE(Read("bytes=10-99", 13) == "10+3");
    REQUIRE(Read("bytes=-99", 13) == "0+13");
    REQUIRE(Read("bytes=10-99999999999999999999999", 13) == "10+3");
    REQUIRE(Read("bytes=-99999999999999999999999", 13) == "0+13");
}

TEST_CASE("ranges: outside of the file") {
    REQUIRE(Read("bytes=13-", 13) == "no overlap");
    REQUIRE(Read("bytes=13-14,99999999999999999999-", 13) == "no overlap");
    REQUIRE(Read("bytes=-0", 13) == "no overlap");
    REQUIRE(Read("bytes=13-,0-0", 13) == "0+1");
}

TEST_CASE("ranges: no list of ranges") {
    for (const char* text : {"bytes=x", "bytes=1", "bytes=5-4", "bytes=-", "bytes=--1",
                             "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2", "bytes=1-2;3-4"}) {
        INFO(text);
        REQUIRE(Read(text, 13) == "broken");
    }
}

TEST_CASE("ranges: a broken list has no parts") {
    REQUIRE(Ranges::Parse("bytes=0-4,x", 13).parts().empty());
}

TEST_CASE("ranges: what is to be passed over") {
    REQUIRE(Read("", 13) == "whole");
    REQUIRE(Read("items=0-4", 13) == "whole");
    REQUIRE(Read("bytes=", 13) == "whole");
    REQUIRE(Read("bytes=0-4", 0) == "whole");  // an empty file
}

TEST_CASE("ranges: a list that costs more than the file gets the file") {
    REQUIRE(Read("bytes=0-12,0-0", 13) == "whole");
    REQUIRE(Read("bytes=0-,0-,0-,0-", 1000) == "whole");
    std::string many = "bytes=0-0";
    for (size_t i = 1; i < Ranges::kMost; ++i) {
        many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
    }
    REQUIRE(Ranges::Parse(many, 1000).parts().size() == Ranges::kMost);
    REQUIRE(Read(many + ",500-500", 1000) == "whole");
}
