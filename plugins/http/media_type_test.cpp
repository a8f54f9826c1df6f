#include "plugins/http/media_type.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::http;

namespace {

std::string Parse(std::string_view text) {
    MediaType type;
    if (rr::Bytes fault = ParseMediaType(text, type); !fault.empty()) {
        return std::string(fault);
    }
    std::string out = type.type;
    for (const auto& [name, value] : type.parameters) {
        out += "|" + name + "=" + value;
    }
    return out;
}

}  // namespace

TEST_CASE("media type: type and parameters, names in lower case") {
    REQUIRE(Parse("Text/HTML; Charset=UTF-8") == "text/html|charset=UTF-8");
    REQUIRE(Parse("form-data; name=\"a b\"; filename=\"x;y.txt\"") ==
            "form-data|name=a b|filename=x;y.txt");
    REQUIRE(Parse("a/b;") == "a/b");
    REQUIRE(Parse("a/b; x=\"\"") == "a/b|x=");
    REQUIRE(Parse("a/b ;x = y") == "a/b|x=y");
    REQUIRE(Parse("a/b; x=y; x=y") == "a/b|x=y");
}

TEST_CASE("media type: faults in Go's words") {
    REQUIRE(Parse("") == "mime: no media type");
    REQUIRE(Parse("foo application/x-www-form-urlencoded") ==
            "mime: expected slash after first token");
    REQUIRE(Parse("foo/") == "mime: expected token after slash");
    REQUIRE(Parse("foo/bar baz") == "mime: unexpected content after media subtype");
    REQUIRE(Parse("foo/bar; x") == "mime: invalid media parameter");
    REQUIRE(Parse("foo/bar; x=\"y") == "mime: invalid media parameter");
    REQUIRE(Parse("foo/bar; x=1; x=2") == "mime: duplicate parameter name");
}

TEST_CASE("media type: backslashes before plain letters are literal") {
    REQUIRE(Parse(R"(form-data; filename="C:\dev\go\foo.txt")") ==
            R"(form-data|filename=C:\dev\go\foo.txt)");
    REQUIRE(Parse(R"(form-data; filename="a\"b\\c")") == R"(form-data|filename=a"b\c)");
}

TEST_CASE("media type: RFC 2231 names are put together") {
    REQUIRE(Parse("a/b; filename*=UTF-8''%e2%82%ac%20x.txt") == "a/b|filename=\xe2\x82\xac x.txt");
    REQUIRE(Parse("a/b; t*0=one; t*1=\" two\"") == "a/b|t=one two");
    REQUIRE(Parse("a/b; t*0*=us-ascii'en'on%65; t*1*=%20x; t*2=y") == "a/b|t=one xy");
    REQUIRE(Parse("a/b; t*=koi8-r''x") == "a/b");
    REQUIRE(Parse("a/b; t*=utf-8''%zz") == "a/b");
}

TEST_CASE("media type: very many parameters are refused, in short time") {
    std::string text = "a/b";
    for (int i = 0; i < 20000; ++i) {
        text += ";x" + std::to_string(i) + "=y";
    }
    REQUIRE(Parse(text) == "mime: invalid media parameter");
}
