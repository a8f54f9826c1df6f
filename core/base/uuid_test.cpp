#include "core/base/uuid.hpp"

#include <set>
#include <string>

#include <catch2/catch.hpp>

using rr::Uuid;

TEST_CASE("uuid: a random one is of version 4 and never the same") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        std::string text = Uuid::Random().ToString();
        REQUIRE(text.size() == Uuid::kTextSize);
        REQUIRE(text[14] == '4');
        REQUIRE(std::string("89ab").find(text[19]) != std::string::npos);
        REQUIRE(text.find_first_not_of("0123456789abcdef-") == std::string::npos);
        REQUIRE(seen.insert(text).second);
    }
}

TEST_CASE("uuid: what was written is read back, in either case") {
    Uuid uuid = Uuid::Random();
    Uuid read;
    REQUIRE(Uuid::Parse(uuid.ToString(), read));
    REQUIRE(read == uuid);
    REQUIRE(Uuid::Parse("50A6C1CE-1E83-48C9-9D3E-6F942895400E", read));
    REQUIRE(read.ToString() == "50a6c1ce-1e83-48c9-9d3e-6f942895400e");
}

TEST_CASE("uuid: anything else is none") {
    Uuid read;
    for (const char* text :
         {"", "50a6c1ce1e8348c99d3e6f942895400e", "50a6c1ce-1e83-48c9-9d3e-6f942895400",
          "50a6c1ce-1e83-48c9-9d3e-6f942895400ee", "50a6c1cg-1e83-48c9-9d3e-6f942895400e",
          "50a6c1ce-1e83-48c9-9d3e+6f942895400e", "127.0.0.1:40000"}) {
        REQUIRE_FALSE(Uuid::Parse(text, read));
    }
}
