#include "plugins/gzip/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

namespace rr::gzip {

TEST_CASE("gzip config: without keys it does what most want") {
    auto config = config::Read("version: '3'\nhttp: {address: ':80'}\n");
    const GzipConfig c = ParseGzipConfig(config->Get("http").Sub("gzip"));
    REQUIRE(c.encodings ==
            std::vector<Encoding>{Encoding::kZstd, Encoding::kBrotli, Encoding::kGzip});
    REQUIRE(c.levels.gzip == 1);
    REQUIRE(c.levels.brotli == 4);
    REQUIRE(c.levels.zstd == 3);
    REQUIRE(c.min_size == 1024);
    REQUIRE(c.types.empty());
    REQUIRE(c.max_memory == 64 << 20);
}

TEST_CASE("gzip config: every key is read") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  gzip: {level: 9, br_level: 5, zstd_level: 1, min_size: 2KB,\n"
        "    encodings: [gzip, BR, gzip], types: [Text/*, application/json], max_memory: 1MB}\n");
    const GzipConfig c = ParseGzipConfig(config->Get("http").Sub("gzip"));
    REQUIRE(config->problems().empty());
    REQUIRE(c.encodings == std::vector<Encoding>{Encoding::kGzip, Encoding::kBrotli});
    REQUIRE(c.levels.gzip == 9);
    REQUIRE(c.levels.brotli == 5);
    REQUIRE(c.levels.zstd == 1);
    REQUIRE(c.min_size == 2048);
    REQUIRE(c.types == std::vector<std::string>{"text/*", "application/json"});
    REQUIRE(c.max_memory == 1 << 20);
}

TEST_CASE("gzip config: bad values are named with file and line") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  gzip:\n    level: 10\n    encodings: [gzip, deflate]\n"
        "    min_size: -1\n    types: [html]\n    levle: 3\n");
    ParseGzipConfig(config->Get("http").Sub("gzip"));
    config->Finish();
    const auto& problems = config->problems();
    REQUIRE(problems.size() == 4);
    REQUIRE(problems[0].find(".rr.yaml:4: http.gzip.level: ") == 0);
    REQUIRE(problems[1] ==
            ".rr.yaml:5: http.gzip.encodings: must be zstd, br or gzip, not deflate");
    REQUIRE(problems[2].find(".rr.yaml:6: http.gzip.min_size: ") == 0);
    REQUIRE(problems[3] ==
            ".rr.yaml:7: http.gzip.types: must be like text/html, text/* or *, not html");
    REQUIRE(config->warnings().size() == 1);
    REQUIRE(config->warnings()[0].find("http.gzip.levle") != std::string::npos);
    REQUIRE(config->warnings()[0].find("level") != std::string::npos);
}

}  // namespace rr::gzip
