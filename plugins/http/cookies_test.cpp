#include "plugins/http/cookies.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::http;

namespace {

std::string Jar(std::initializer_list<std::string> lines) {
    CookieJar jar;
    for (const std::string& line : lines) {
        jar.Add(line);
    }
    std::string out;
    for (size_t i = 0; i < jar.size(); ++i) {
        out += std::string(jar.name(i)) + "=" + std::string(jar.value(i)) + "|";
    }
    return out;
}

}  // namespace

TEST_CASE("cookies: values are decoded") {
    REQUIRE(Jar({"a=1; b=%20x; c=x+y; d=%C3%A4; e=a=b"}) == "a=1|b= x|c=x y|d=\xc3\xa4|e=a=b|");
    REQUIRE(Jar({"g; h=; i=\"quoted\"; j=\""}) == "g=|h=|i=quoted|");
}

TEST_CASE("cookies: bad names, values and escapes drop the cookie") {
    REQUIRE(Jar({"c d=1; a[x]=1; =1; ok=1"}) == "ok=1|");
    REQUIRE(Jar({"a=x\"y; b=x\\y; c=\x01; d=\x7f; e=\xc3\xa4; f=1"}) == "f=1|");
    REQUIRE(Jar({"a=%; b=%2; c=%zz; d=%41"}) == "d=A|");
    REQUIRE(Jar({"", ";;; ;", "x"}) == "x=|");
}

TEST_CASE("cookies: the last of a name wins, over all lines") {
    REQUIRE(Jar({"a=1; b=2; a=3", "b=4"}) == "a=3|b=4|");
    REQUIRE(Jar({"A=1; a=2"}) == "A=1|a=2|");
    REQUIRE(Jar({"a=1; a=%zz"}) == "a=1|");
}

TEST_CASE("cookies: many names are told apart, and the last value still wins") {
    std::string line;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 1500; ++i) {
            line += "n" + std::to_string(i) + "=" + std::to_string(round) + ";";
        }
    }
    line.pop_back();
    CookieJar jar;
    jar.Add(line);
    REQUIRE(jar.size() == 1500);
    for (size_t i = 0; i < jar.size(); ++i) {
        REQUIRE(jar.name(i) == "n" + std::to_string(i));
        REQUIRE(jar.value(i) == "1");
    }
    jar.Clear();
    REQUIRE(jar.size() == 0);
    jar.Add("a=1");
    REQUIRE(jar.size() == 1);
}

TEST_CASE("cookies: more than 3000 give none") {
    std::string line = "a=1";
    for (int i = 1; i < 3000; ++i) {
        line += ";a=1";
    }
    CookieJar jar;
    jar.Add(line);
    REQUIRE(jar.size() == 1);
    jar.Add("b=1");
    REQUIRE(jar.size() == 0);
    jar.Add("c=1");
    REQUIRE(jar.size() == 0);
}
