#include "cmd/rr/request_line.hpp"

#include <catch2/catch.hpp>

using namespace rr;

static std::string After(int64_t elapsed_ns) {
    RequestEvent event{RequestPhase::kFinished, "http", "GET", "/x?a=1", "10.0.0.1:4000"};
    event.status = 200;
    event.elapsed_ns = elapsed_ns;
    return cmd::RequestLine(event);
}

TEST_CASE("request line: the elapsed time has three digits, in the unit that fits") {
    REQUIRE(After(12345678) == "10.0.0.1:4000 {12.3ms} 200 GET /x?a=1");
    REQUIRE(After(1234567) == "10.0.0.1:4000 {1.23ms} 200 GET /x?a=1");
    REQUIRE(After(123456789) == "10.0.0.1:4000 {123ms} 200 GET /x?a=1");
    REQUIRE(After(1234567890) == "10.0.0.1:4000 {1.235s} 200 GET /x?a=1");
    REQUIRE(After(12345678900) == "10.0.0.1:4000 {12.35s} 200 GET /x?a=1");
    REQUIRE(After(123456789000) == "10.0.0.1:4000 {123.5s} 200 GET /x?a=1");
    REQUIRE(After(0) == "10.0.0.1:4000 {0.00ms} 200 GET /x?a=1");
}
