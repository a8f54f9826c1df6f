#include "core/files/http_date.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::files;

namespace {

std::string Written(int64_t seconds) {
    std::string text(kHttpDateSize, ' ');
    WriteHttpDate(seconds, text.data());
    return text;
}

}  // namespace

TEST_CASE("http_date: written and read") {
    REQUIRE(Written(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    REQUIRE(Written(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    REQUIRE(Written(INT64_MAX) == "Fri, 31 Dec 9999 23:59:59 GMT");
    REQUIRE(Written(INT64_MIN) == "Sat, 01 Jan 0000 00:00:00 GMT");
    for (const int64_t seconds : {0L, 784111777L, 1582934400L, 4107542399L, -1L}) {
        REQUIRE(ParseHttpDate(Written(seconds)) == seconds);
    }
}

TEST_CASE("http_date: the two old forms are read") {
    REQUIRE(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
    REQUIRE(ParseHttpDate("Sun Nov  6 08:49:37 1994") == 784111777);
    REQUIRE(ParseHttpDate("Sunday, 06-Nov-22 08:49:37 GMT") == 1667724577);
}

TEST_CASE("http_date: everything else is no date") {
    for (const char* text :
         {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
          "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994",
          "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT"}) {
        INFO(text);
        REQUIRE_FALSE(ParseHttpDate(text));
    }
}
