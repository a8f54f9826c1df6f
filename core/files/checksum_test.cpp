#include "core/files/checksum.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::files;

TEST_CASE("checksum: RoadRunner's numbers") {
    REQUIRE(Checksum(Polynomial::kStatic, "hello static\n") == 4037175136u);
    REQUIRE(Checksum(Polynomial::kStatic, "big.css") == 4028826774u);
    REQUIRE(Checksum(Polynomial::kStatic, "") == 0);
    REQUIRE(Checksum(Polynomial::kFileserver, "hello static\n") !=
            Checksum(Polynomial::kStatic, "hello static\n"));
}

TEST_CASE("checksum: in pieces it is the same") {
    const Bytes text = "a text that is longer than the eight bytes of one step";
    const uint32_t whole = Checksum(Polynomial::kFileserver, text);
    for (size_t i = 0; i <= text.size(); ++i) {
        const uint32_t first = Checksum(Polynomial::kFileserver, text.substr(0, i));
        REQUIRE(Checksum(Polynomial::kFileserver, text.substr(i), first) == whole);
    }
}
