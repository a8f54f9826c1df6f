#include "core/web/query.hpp"

#include <catch2/catch.hpp>

using rr::web::QueryValues;
using Values = std::vector<std::string>;

TEST_CASE("query: a repeated name gives every value in order, a comma splits nothing") {
    REQUIRE(QueryValues("plugin=http&x=1&plugin=jobs", "plugin") == Values{"http", "jobs"});
    REQUIRE(QueryValues("plugin=http,jobs", "plugin") == Values{"http,jobs"});
    REQUIRE(QueryValues("", "plugin").empty());
    REQUIRE(QueryValues("plugins=http", "plugin").empty());
}

TEST_CASE("query: escapes and plus signs are decoded, in names too") {
    REQUIRE(QueryValues("pl%75gin=a%20b+c", "plugin") == Values{"a b c"});
    REQUIRE(QueryValues("plugin=%e2%82%AC", "plugin") == Values{"\xe2\x82\xac"});
}

TEST_CASE("query: a name without a value has an empty one") {
    REQUIRE(QueryValues("plugin", "plugin") == Values{""});
    REQUIRE(QueryValues("plugin=&plugin=a=b", "plugin") == Values{"", "a=b"});
}

TEST_CASE("query: pairs with a broken escape or a semicolon are skipped") {
    REQUIRE(QueryValues("plugin=%&plugin=%4&plugin=%zz&plugin=a;b&plugin=ok%41", "plugin") ==
            Values{"okA"});
}
