#include "core/files/url_path.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::files;
using namespace std::string_view_literals;

namespace {

std::string Parsed(Bytes target) {
    std::string scratch = "left from before";
    const UrlPath path = ParseUrlPath(target, scratch);
    switch (path.kind) {
        case UrlPath::Kind::kFile: return "file " + std::string(path.name);
        case UrlPath::Kind::kFolder: return "folder " + std::string(path.name);
        case UrlPath::Kind::kUp: return "up";
        case UrlPath::Kind::kNone: break;
    }
    return "none";
}

}  // namespace

TEST_CASE("url_path: names of files") {
    REQUIRE(Parsed("/a.css") == "file a.css");
    REQUIRE(Parsed("/css/a.css?v=1") == "file css/a.css");
    REQUIRE(Parsed("/a%20b%2Ecss") == "file a b.css");
    REQUIRE(Parsed("//a.txt") == "file a.txt");
    REQUIRE(Parsed("/./x/././/a.txt") == "file x/a.txt");
    REQUIRE(Parsed("/%2e/a.txt") == "file a.txt");
    REQUIRE(Parsed("/a%2fb.txt") == "file a/b.txt");
    REQUIRE(Parsed("/a%252fb.txt") == "file a%2fb.txt");  // once
    REQUIRE(Parsed("/a+b.txt") == "file a+b.txt");
    REQUIRE(Parsed("http://host:80/a.txt?x=/y") == "file a.txt");
    REQUIRE(Parsed("/a.txt#x") == "file a.txt");
}

TEST_CASE("url_path: names of folders") {
    REQUIRE(Parsed("/") == "folder ");
    REQUIRE(Parsed("//") == "folder ");
    REQUIRE(Parsed("/.") == "folder ");
    REQUIRE(Parsed("/a/") == "folder a");
    REQUIRE(Parsed("/a/b//") == "folder a/b");
    REQUIRE(Parsed("/a/.") == "folder a");
    REQUIRE(Parsed("/a.txt/") == "folder a.txt");
}

TEST_CASE("url_path: two dots are refused, however they are written") {
    for (Bytes target : {"/../a"sv, "/.."sv, "/a..b.txt"sv, "/%2e%2e/a"sv, "/%2E./a"sv,
                         "/x/..%2fa"sv, "/..%5ca"sv, "/..\\a"sv, "http://h/../a"sv, "/..%00"sv}) {
        INFO(target);
        REQUIRE(Parsed(target) == "up");
    }
    REQUIRE(Parsed("/a?x=..") == "file a");
    REQUIRE(Parsed("/%252e%252e/a") == "file %2e%2e/a");
}

TEST_CASE("url_path: what can be no name") {
    for (Bytes target :
         {""sv, "*"sv, "host:443"sv, "a.txt"sv, "http://host"sv, "http://host?/x"sv, "/%"sv,
          "/%4"sv, "/%zz"sv, "/a%00.txt"sv, "/a\0b"sv, "/a\\b"sv, "/a%5cb"sv}) {
        INFO(target);
        REQUIRE(Parsed(target) == "none");
    }
}

TEST_CASE("url_path: encoded again it is the same name") {
    REQUIRE(EncodeUrlPath("a b/ü?#%.txt") == "/a%20b/%C3%BC%3F%23%25.txt");
    REQUIRE(Parsed(EncodeUrlPath("a b/ü?#%.txt")) == "file a b/ü?#%.txt");
}

TEST_CASE("url_path: extensions") {
    REQUIRE(ExtensionOf("a.css") == "css");
    REQUIRE(ExtensionOf("x/A.TAR.Gz") == "Gz");
    REQUIRE(ExtensionOf(".hidden") == "hidden");
    REQUIRE(ExtensionOf("x.y/a").empty());
    REQUIRE(ExtensionOf("a.").empty());
    REQUIRE(ExtensionOf("a").empty());
    REQUIRE(ExtensionOf("a.sublime-workspace") == "sublime-workspace");  // was cut at 16 bytes
}
