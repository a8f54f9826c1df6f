#include "core/files/accept_encoding.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace rr::files {
namespace {

const std::vector<Encoding> kAll = {Encoding::kZstd, Encoding::kBrotli, Encoding::kGzip};

Encoding Chosen(std::string_view header, const std::vector<Encoding>& offered = kAll) {
    AcceptEncoding accept;
    accept.Add(header);
    return accept.Choose(offered);
}

}  // namespace

TEST_CASE("accept-encoding: of codings that are liked alike the first one offered is taken") {
    REQUIRE(Chosen("gzip, deflate, br, zstd") == Encoding::kZstd);
    REQUIRE(Chosen("gzip, deflate, br") == Encoding::kBrotli);
    REQUIRE(Chosen("gzip, br", {Encoding::kGzip, Encoding::kBrotli}) == Encoding::kGzip);
    REQUIRE(Chosen("GZIP") == Encoding::kGzip);
    REQUIRE(Chosen("x-gzip") == Encoding::kGzip);
    REQUIRE(Chosen(" \tgzip\t ,") == Encoding::kGzip);
    REQUIRE(Chosen("br", {Encoding::kGzip}) == Encoding::kIdentity);
}

TEST_CASE("accept-encoding: the greatest weight wins over the order") {
    REQUIRE(Chosen("zstd;q=0.5, br;q=0.8, gzip;q=0.7") == Encoding::kBrotli);
    REQUIRE(Chosen("br;q=0.9, gzip") == Encoding::kGzip);
    REQUIRE(Chosen("br ; Q=0.001 , zstd ;q=0") == Encoding::kBrotli);
    REQUIRE(Chosen("gzip;q=0.001") == Encoding::kGzip);
}

TEST_CASE("accept-encoding: weight 0 refuses, and identity may be liked better") {
    REQUIRE(Chosen("gzip;q=0") == Encoding::kIdentity);
    REQUIRE(Chosen("gzip;q=0.000, *") == Encoding::kIdentity);
    REQUIRE(Chosen("identity, gzip;q=0.5") == Encoding::kIdentity);
    REQUIRE(Chosen("identity;q=0.5, gzip") == Encoding::kGzip);
    REQUIRE(Chosen("identity;q=0") == Encoding::kIdentity);
    REQUIRE(Chosen("deflate, compress") == Encoding::kIdentity);
    REQUIRE(Chosen("") == Encoding::kIdentity);
}

TEST_CASE("accept-encoding: a star means gzip, which everybody knows") {
    REQUIRE(Chosen("*") == Encoding::kGzip);
    REQUIRE(Chosen("*;q=0") == Encoding::kIdentity);
    REQUIRE(Chosen("br;q=0.2, *;q=0.1") == Encoding::kBrotli);
    REQUIRE(Chosen("*;q=0, gzip") == Encoding::kGzip);
}

TEST_CASE("accept-encoding: what is malformed counts as not said") {
    for (const char* bad :
         {"gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=", "gzip;q=-1", "gzip;q=a",
          "gzip;q=0,5", "gzip;q=01", "gzip br", "\"gzip\"", "gzipx", ",;=,", "q=1;gzip"}) {
        INFO(bad);
        REQUIRE(Chosen(bad) == Encoding::kIdentity);
    }
    REQUIRE(Chosen("br;q=x, gzip") == Encoding::kGzip);
    REQUIRE(Chosen("gzip;level=9") == Encoding::kGzip);
    REQUIRE(Chosen("gzip;q=1.") == Encoding::kGzip);
}

TEST_CASE("accept-encoding: several lines are one list") {
    AcceptEncoding accept;
    accept.Add("gzip;q=0.5");
    accept.Add("br;q=0.4");
    REQUIRE(accept.Choose(kAll) == Encoding::kGzip);
    REQUIRE(accept.weight(Encoding::kBrotli) == 400);
    REQUIRE(accept.weight(Encoding::kZstd) == AcceptEncoding::kNone);
}

}  // namespace rr::files
