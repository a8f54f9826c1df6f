#include "plugins/cache/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

namespace rr::cache {

TEST_CASE("cache config: defaults, and every key") {
    auto none = config::Read("version: '3'\nhttp: {address: ':80'}\n");
    CacheConfig c = ParseCacheConfig(none->Get("http").Sub("cache"));
    REQUIRE(c.max_memory == 32 << 20);
    REQUIRE(c.max_entry == 1 << 20);
    REQUIRE_FALSE(c.honour_cache_control);
    REQUIRE_FALSE(c.authorization);

    auto all = config::Read(
        "version: '3'\nhttp: {cache: {max_memory: 2MB, max_entry: 10KB, honour_cache_control: "
        "true, "
        "authorization: true}}\n");
    c = ParseCacheConfig(all->Get("http").Sub("cache"));
    REQUIRE(all->problems().empty());
    REQUIRE(c.max_memory == 2 << 20);
    REQUIRE(c.max_entry == 10 << 10);
    REQUIRE(c.honour_cache_control);
    REQUIRE(c.authorization);
}

TEST_CASE("cache config: bad values are named with file and line") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  cache:\n    max_memory: 0\n    max_entry: 1GB\n    max_size: 1\n");
    ParseCacheConfig(config->Get("http").Sub("cache"));
    config->Finish();
    REQUIRE(config->problems().size() == 2);
    REQUIRE(config->problems()[0] == ".rr.yaml:4: http.cache.max_memory: must be more than 0");
    REQUIRE(config->problems()[1] ==
            ".rr.yaml:5: http.cache.max_entry: must not be more than max_memory");
    REQUIRE(config->warnings().size() == 1);
    REQUIRE(config->warnings()[0].find("http.cache.max_size") != std::string::npos);
}

}  // namespace rr::cache
