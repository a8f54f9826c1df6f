#include "plugins/fileserver/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"
#include "core/config/read_for_test.hpp"

using namespace rr;
using namespace rr::fileserver;
using namespace std::chrono_literals;

namespace {

FileServerConfig Parse(const config::Section& section) {
    return ParseFileServerConfig(section, "/");
}
config::ReadForTest<FileServerConfig> Read(const std::string& keys) {
    return {"fileserver:\n" + keys, "fileserver", &Parse};
}

}  // namespace

TEST_CASE("fileserver config: every key, and the defaults of a folder") {
    const auto r = Read(
        "  address: 127.0.0.1:8081\n  calculate_etag: true\n  weak: true\n"
        "  stream_request_body: true\n  serve:\n"
        "    - {prefix: /a/, root: tmp, compress: true, bytes_range: true, cache_duration: -1,"
        " max_age: 60}\n    - prefix: /\n      root: /\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.serve.size() == 2);
    const FileServerConfig::Serve& a = r.config.serve[0];
    REQUIRE(a.prefix == "/a");
    REQUIRE(a.root == "//tmp");
    REQUIRE(a.compress);
    REQUIRE(a.bytes_range);
    REQUIRE(a.cache_duration == -1s);
    REQUIRE(a.max_age == 60);
    REQUIRE(r.config.serve[1].prefix.empty());
    REQUIRE(r.config.serve[1].cache_duration == 10s);
}

TEST_CASE("fileserver config: mistakes are named") {
    REQUIRE(Read("  serve: [{prefix: /, root: /}]\n").problems() ==
            "fileserver.address: missing\n");
    for (const char* serve : {"[]", "[x]", "{prefix: /}", "[{prefix: a, root: /}]", "[{root: /}]",
                              "[{prefix: /, root: nowhere}]", "[{prefix: /, max_age: -1}]"}) {
        INFO(serve);
        const std::string keys = std::string("  address: ':80'\n  serve: ") + serve + "\n";
        REQUIRE_FALSE(Read(keys).problems().empty());
    }
    REQUIRE(Read("  address: ':80'\n  serve: [{prefix: /, root: /, max_aeg: 1}]\n")
                .warnings()
                .find("did you mean max_age") != std::string::npos);
}
