#include "core/pool/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

namespace rr::pool {
namespace {

PoolConfig Parse(const std::string& yaml, size_t problems = 0) {
    auto config = config::Config::FromText("version: \"3\"\npool:\n" + yaml);
    REQUIRE(config);
    PoolConfig parsed = ParsePoolConfig((*config)->Get("pool"));
    REQUIRE((*config)->problems().size() == problems);
    return parsed;
}

}  // namespace

TEST_CASE("pool config: defaults are the reference's, but for the queue bound") {
    PoolConfig c = Parse("  num_workers: 2\n");
    REQUIRE(c.num_workers == 2);
    REQUIRE(c.max_queue_size == -1);
    REQUIRE(c.allocate_timeout == std::chrono::seconds(60));
    REQUIRE_FALSE(c.supervised);
    REQUIRE_FALSE(c.dynamic);
    REQUIRE(c.reset_surge == 100);
}

TEST_CASE("pool config: no number of workers means one per logical CPU") {
    REQUIRE(Parse("  num_workers: 0\n").num_workers >= 1);
}

TEST_CASE("pool config: more than 500 workers are refused") { Parse("  num_workers: 501\n", 1); }

TEST_CASE("pool config: supervisor and allocator, with the reference's clamps") {
    PoolConfig c = Parse(
        "  supervisor: {watch_tick: 1s, ttl: 1m, idle_ttl: 10s, exec_ttl: 500ms, "
        "max_worker_memory: 100}\n"
        "  dynamic_allocator: {max_workers: 1000, spawn_rate: 0, idle_timeout: 500ms}\n");
    REQUIRE(c.supervisor.exec_ttl == std::chrono::milliseconds(500));
    REQUIRE(c.supervisor.max_worker_memory == 100);
    REQUIRE(c.allocator.max_workers == 100);
    REQUIRE(c.allocator.spawn_rate == 5);
    REQUIRE(c.allocator.idle_timeout == std::chrono::seconds(60));
}

TEST_CASE("pool config: a plugin has defaults of its own") {
    PoolConfig defaults;
    defaults.num_workers = 1;
    defaults.debug = true;
    defaults.allocate_timeout = std::chrono::hours(1);
    auto config =
        config::Config::FromText("version: \"3\"\npool: {debug: false, num_workers: 0}\n");
    REQUIRE(config);
    PoolConfig c = ParsePoolConfig((*config)->Get("pool"), defaults);
    REQUIRE_FALSE(c.debug);
    REQUIRE(c.num_workers == Parse("  num_workers: 0\n").num_workers);
    REQUIRE(c.allocate_timeout == std::chrono::hours(1));
    c = ParsePoolConfig((*config)->Get("absent"), defaults);
    REQUIRE(c.debug);
    REQUIRE(c.num_workers == 1);
}

TEST_CASE("pool config: max_queue_size 0 lifts the bound") {
    REQUIRE(Parse("  max_queue_size: 0\n").max_queue_size == 0);
}

}  // namespace rr::pool
