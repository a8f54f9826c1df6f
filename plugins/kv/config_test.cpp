#include "plugins/kv/config.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

using namespace rr;
using namespace rr::kv;

namespace {

struct Parsed {
    explicit Parsed(std::string_view text) : config(config::Read(text)) {
        storages = ParseStorages(*config, loop, log::Logger(), "/srv");
        config->Finish();
    }
    Loop loop{"main"};
    std::unique_ptr<config::Config> config;
    Storages storages;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("kv: storages with their keys here, in a section of their own, or by default") {
    Parsed read(R"(version: "3"
kv:
  Sessions: {driver: memory, config: {max_memory: 64MB, interval: 60}}
  disk: {driver: boltdb, config: {file: a.db, permissions: 0600, interval: 30s, sync: always}}
  same: {driver: lmdb, config: {file: /b.db, sync: never, sync_interval: 2s, max_size: 1GB}}
  elsewhere: {driver: boltdb}
  bare: {driver: memory}
elsewhere: {file: c.db}
)");
    REQUIRE(read.config->problems().empty());
    REQUIRE(
        read.config->warnings() ==
        Lines{".rr.yaml:7: kv.bare.driver: neither `config` here nor a section `bare` is there: "
              "the driver's defaults hold"});
    Lines names;
    for (const auto& storage : read.storages) {
        names.push_back(storage->name + " " + storage->driver);
    }
    REQUIRE(names == Lines{"sessions memory", "disk boltdb", "same lmdb", "elsewhere boltdb",
                           "bare memory"});
}

TEST_CASE("kv: an empty config means the driver's defaults") {
    Parsed read("version: \"3\"\nkv: {a: {driver: memory, config: {}}}\n");
    REQUIRE(read.config->problems().empty());
    REQUIRE(read.config->warnings().empty());
    REQUIRE(read.storages.size() == 1);
}

TEST_CASE("kv: what is wrong with a storage is said") {
    Parsed read(R"(version: "3"
kv:
  a: {config: {}}
  b: {driver: oracle, config: {x: 1}}
  c: {driver: lmdb, config: {sync: sometimes, fle: x, max_size: many}}
)");
    REQUIRE(read.storages.size() == 1);
    REQUIRE(read.config->problems().size() == 3);
    REQUIRE(read.config->problems()[0] ==
            ".rr.yaml:3: kv.a: could not find mandatory driver field in the a storage");
    REQUIRE(read.config->problems()[1].starts_with(".rr.yaml:5: kv.c.config.sync: "));
    REQUIRE(read.config->problems()[2].starts_with(".rr.yaml:5: kv.c.config.max_size: "));
    REQUIRE(read.config->warnings().size() == 2);
    REQUIRE(read.config->warnings()[0].starts_with(
        ".rr.yaml:4: kv.b.driver: no driver is called `oracle`, the storage is not there; drivers: "
        "memory, boltdb, lmdb"));
    REQUIRE(read.config->warnings()[1].find("fle") != std::string::npos);
}

TEST_CASE("kv: the sample is right") {
    const char* source = std::getenv("RR_SOURCE_DIR");
    const std::string folder = source == nullptr ? "." : source;
    config::LoadOptions options;
    options.file = folder + "/config/kv.yaml";
    auto config = config::Config::Load(options);
    REQUIRE(config.has_value());
    Loop loop("main");
    REQUIRE(ParseStorages(**config, loop, log::Logger(), "/srv").size() >= 3);
    REQUIRE((*config)->problems().empty());
}
