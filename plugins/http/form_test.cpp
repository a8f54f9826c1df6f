#include "plugins/http/form.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::http;
using rr::Buffer;

namespace {

const std::string kType = "application/x-www-form-urlencoded";

std::string Form(std::string_view body, std::string_view query = "",
                 const std::string& type = kType) {
    FormFields fields;
    if (BodyFault fault = ParseForm(type, body, query, fields)) {
        return std::to_string(fault.status) + " " + fault.reason;
    }
    Buffer out;
    fields.AppendJson(out);
    return std::string(out.view());
}

}  // namespace

TEST_CASE("form: the tree of the conformance record") {
    REQUIRE(Form("a=1&a=2&b[]=x&b[]=y&c[k]=1&c[k2][]=z&e[][n]=1&e[][n]=2&empty=&novalue") ==
            R"({"a":"2","b":["x","y"],"c":{"k":"1","k2":["z"]},"e":{"":{"n":"2"}},)"
            R"("empty":"","novalue":""})");
}

TEST_CASE("form: names become segments") {
    REQUIRE(Form("a[b][]=1") == R"({"a":{"b":["1"]}})");
    REQUIRE(Form("a[b]c=1") == R"({"a":{"b":{"c":"1"}}})");
    REQUIRE(Form("u[v=1") == R"({"u":{"v":"1"}})");
    REQUIRE(Form("dot.key=1") == R"({"dot.key":"1"})");
    REQUIRE(Form("[z]=1") == R"({"":{"z":"1"}})");
    REQUIRE(Form("q]=1") == R"({"q":"1"})");
    REQUIRE(Form("sp+ac+e=1") == R"({"space":"1"})");
    REQUIRE(Form("a[]b=1") == R"({"a":{"":{"b":"1"}}})");
    REQUIRE(Form("a[[b]]=1") == R"({"a":{"b":"1"}})");
    REQUIRE(Form("=1") == R"({"":"1"})");
    REQUIRE(Form("[]=1&[]=2") == R"({"":["1","2"]})");
}

TEST_CASE("form: objects have sorted keys and never become lists") {
    REQUIRE(Form("n[1]=1&n[0]=2") == R"({"n":{"0":"2","1":"1"}})");
    REQUIRE(Form("b=1&a=2&C=3") == R"({"C":"3","a":"2","b":"1"})");
}

TEST_CASE("form: empty values yield to branches, others conflict") {
    REQUIRE(Form("a=&a[b]=2") == R"({"a":{"b":"2"}})");
    REQUIRE(Form("a[b]=2&a=") == R"({"a":{"b":"2"}})");
    REQUIRE(Form("a[]=&a[b]=2") == R"({"a":{"b":"2"}})");
    REQUIRE(Form("a=1&a[b]=2") == "400 invalid multiple values to key 'a' in tree");
    REQUIRE(Form("a[b]=2&a=1") == "400 invalid multiple values to key 'a' in tree");
    REQUIRE(Form("a[]=1&a[x]=2") == "400 invalid multiple values to key 'a' in tree");
    REQUIRE(Form("r[x]=1&r[x][y]=2") == "400 invalid multiple values to key 'x' in tree");
    REQUIRE(Form("a[]=1&a=2") == R"({"a":"2"})");
    REQUIRE(Form("a=2&a[]=1") == R"({"a":["1"]})");
}

TEST_CASE("form: 127 segments are accepted, more are dropped") {
    auto name = [](int segments) {
        std::string n = "a";
        for (int i = 1; i < segments; ++i) {
            n += "[x]";
        }
        return n;
    };
    REQUIRE(Form(name(127) + "=1").find("\"1\"") != std::string::npos);
    REQUIRE(Form(name(128) + "=1") == "{}");
    REQUIRE(Form(name(128) + "=1&b=2") == R"({"b":"2"})");
}

TEST_CASE("form: output is escaped, broken UTF-8 replaced") {
    REQUIRE(Form("%3Ca%3E=%22%26%ff") == R"({"\u003ca\u003e":"\"\u0026\ufffd"})");
}

TEST_CASE("form: bad escapes and semicolons, in body and query") {
    REQUIRE(Form("a=%zz") == "400 invalid URL escape \"%zz\"");
    REQUIRE(Form("%4=1") == "400 invalid URL escape \"%4\"");
    REQUIRE(Form("a=%a\"") == "400 invalid URL escape \"%a\\\"\"");
    REQUIRE(Form("a=1;b=2") == "400 invalid semicolon separator in query");
    REQUIRE(Form("a=1", "x=%zz") == "400 invalid URL escape \"%zz\"");
    REQUIRE(Form("a=1", "x;y") == "400 invalid semicolon separator in query");
    REQUIRE(Form("a=1", "x=1&y[]=2") == R"({"a":"1"})");
    REQUIRE(Form("%zz=1&a;b") == "400 invalid semicolon separator in query");
}

TEST_CASE("form: at most 10000 parameters, in body and query") {
    std::string most = "a=1";
    for (int i = 1; i < 10000; ++i) {
        most += "&a=1";
    }
    REQUIRE(Form(most, most) == R"({"a":"1"})");
    REQUIRE(Form(most + "&") == "400 number of URL query parameters exceeded limit");
    REQUIRE(Form("a=1", most + "&a") == "400 number of URL query parameters exceeded limit");
}

TEST_CASE("form: the content type must be readable, and be the form type to give fields") {
    REQUIRE(Form("a=1", "", "foo application/x-www-form-urlencoded") ==
            "400 mime: expected slash after first token");
    REQUIRE(Form("a=1", "", kType + "; charset=utf-8") == R"({"a":"1"})");
    REQUIRE(Form("a=1", "", "a/b; x=\"application/x-www-form-urlencoded\"") == "{}");
}

TEST_CASE("form: an empty body has no fields") {
    FormFields fields;
    REQUIRE_FALSE(ParseForm(kType, "", "", fields));
    REQUIRE(fields.empty());
    REQUIRE(Form("&&&") == "{}");
}

TEST_CASE("form: a name of a megabyte and many deep names are read") {
    REQUIRE(Form(std::string(1 << 20, 'n') + "=1").size() > (1 << 20));
    REQUIRE(Form(std::string(1 << 20, '[') + "=1") == R"({"":"1"})");
    std::string deep;
    for (int i = 0; i < 5000; ++i) {
        deep += "k" + std::to_string(i);
        for (int j = 0; j < 100; ++j) {
            deep += "[";
            deep += static_cast<char>('a' + j % 26);
        }
        deep += "=1&";
    }
    REQUIRE(Form(deep).size() > 1000);
}
