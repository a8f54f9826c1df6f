#include "core/config/yaml_reader.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::config {
namespace {

std::string Json(std::string_view text) {
    Report report;
    const auto source = std::make_shared<Source>(Source{"f.yaml", Source::Kind::kFile, 0});
    std::optional<Node> root = ReadYaml(text, source, report);
    REQUIRE(root.has_value() == report.problems().empty());
    return root ? ToJson(*root) : report.Joined();
}

}  // namespace

TEST_CASE("yaml: plain scalars have YAML's types, quoted ones are text") {
    REQUIRE(Json("a: 1\nb: '1'\nc: 0755\nd: 0o755\ne: 1_000\nf: 0x10\ng: 2.50\nh: True\ni: yes\n"
                 "j: off\nk: ~\nl: 1.2.3\nm: \"x\"\nn:\no: -5\np: 1e3\nq: .inf\nr: !!int 7\n") ==
            R"({"a":1,"b":"1","c":493,"d":493,"e":1000,"f":16,"g":2.5,"h":true,"i":"yes",)"
            R"("j":"off","k":null,"l":"1.2.3","m":"x","n":null,"o":-5,"p":1000,"q":".inf","r":7})");
}

TEST_CASE("yaml: keys become lower case, dotted plain ones are paths") {
    REQUIRE(Json("HTTP.Address: x\nhttp:\n  loops: 2\n'A.b': 1\n.c: 2\nd.: 3\n") ==
            R"({"http":{"address":"x","loops":2},"a.b":1,".c":2,"d.":3})");
    REQUIRE(Json("http.a: 1\nhttp.b: 2\n") == R"({"http":{"a":1,"b":2}})");
    REQUIRE(Json("http:\n  a: 1\nhttp.a: 2\n") == "f.yaml:3: http.a: already defined in line 2");
    REQUIRE(Json("http: 1\nhttp.a: 2\n") == "f.yaml:2: http.a: already defined in line 1");
}

TEST_CASE("yaml: merge keys and anchors") {
    REQUIRE(Json("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n") ==
            R"({"base":{"x":1,"y":2},"a":{"y":3,"x":1}})");
    REQUIRE(Json("p: &p {x: 1}\nq: &q {x: 2, z: 3}\na:\n  <<: [*p, *q]\n") ==
            R"({"p":{"x":1},"q":{"x":2,"z":3},"a":{"x":1,"z":3}})");
    REQUIRE(Json("a: &s 5\nb: [*s, *s]\n") == R"({"a":5,"b":[5,5]})");
    REQUIRE(Json("a: {'<<': 1}\n") == R"({"a":{"<<":1}})");
    REQUIRE(Json("a:\n  <<: 5\n") == "f.yaml:2: <<: expected a map or a list of maps to merge");
    REQUIRE(Json("a: &a {b: *a}\n") == "f.yaml:1: an alias inside the value that it stands for");
    REQUIRE(Json("a: *b\n") == "f.yaml:1: the referenced anchor is not defined");
}

TEST_CASE("yaml: duplicate keys are problems that name both lines") {
    REQUIRE(Json("a: 1\nb: {c: 1, C: 2}\na: 2\n") ==
            "f.yaml:2: c: already defined in line 2\nf.yaml:3: a: already defined in line 1");
}

TEST_CASE("yaml: only the first document counts, none is an empty map") {
    REQUIRE(Json("a: 1\n---\nb: [\n") == R"({"a":1})");
    REQUIRE(Json("---\na: 1\n...\nrubbish: [\n") == R"({"a":1})");
    REQUIRE(Json("") == "{}");
    REQUIRE(Json("# nothing\n") == "{}");
    REQUIRE(Json("\xef\xbb\xbf"
                 "a: 1\n") == R"({"a":1})");
}

TEST_CASE("yaml: what breaks is named with its line") {
    REQUIRE(Json("a: 'x\nb: 1\n") == "f.yaml:1: a quote is not closed");
    REQUIRE(Json("b: 1\na: \"x\n") == "f.yaml:2: a quote is not closed");
    REQUIRE(Json("a: [1, 2\n") == "f.yaml:1: a bracket is not closed");
    REQUIRE(Json("a:\n\tb: 1\n") == "f.yaml:2: tabs cannot indent; use spaces");
    REQUIRE(
        Json("a: b\n  c: d\n") ==
        "f.yaml:2: `key: value` is not possible here; check the indentation and missing quotes");
    REQUIRE(Json("a: @x\n") == "f.yaml:1: a value cannot begin like this; put it in quotes");
    REQUIRE(Json("a: 1\n? [b]\n: c\n") == "f.yaml:2: a key must be plain text");
    REQUIRE(Json(std::string("a: x\n\x04\n")) == "f.yaml:2: control characters are not allowed");
}

TEST_CASE("yaml: depth and growth are bounded") {
    REQUIRE(Json(std::string(200, '[') + std::string(200, ']')).find("nested too deeply") !=
            std::string::npos);
    REQUIRE_FALSE(Json(std::string(5000, '[')).empty());
    std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 0; j < 9; ++j) {
            laughs += "," + before;
        }
        laughs += "]\n";
    }
    REQUIRE(Json(laughs).find("too many values through aliases") != std::string::npos);
}

TEST_CASE("yaml: JSON is read too") {
    REQUIRE(Json("{\n\t\"a\": [1, true, null, \"x\\u00e9\\n\"],\n\t\"b\": {\"c\": 1.5}\n}\n") ==
            "{\"a\":[1,true,null,\"x\xc3\xa9\\u000a\"],\"b\":{\"c\":1.5}}");
}

}  // namespace rr::config
