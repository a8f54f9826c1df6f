#include "cmd/rr/plugin_table.hpp"

#include <catch2/catch.hpp>

using namespace rr::cmd;

static std::vector<std::string> Names(const std::vector<PluginRow>& table) {
    auto order = SortPlugins(table);
    REQUIRE(order);
    std::vector<std::string> names;
    for (const PluginRow* row : *order) {
        names.emplace_back(row->name);
    }
    return names;
}

TEST_CASE("plugin table: a plugin comes behind what it needs, else the table's order stays") {
    REQUIRE(Names({{"http", nullptr, {"server"}},
                   {"logger", nullptr},
                   {"tcp", nullptr, {"server", "logger"}},
                   {"server", nullptr}}) ==
            std::vector<std::string>{"server", "http", "logger", "tcp"});
}

TEST_CASE("plugin table: a need may be a thing that others offer") {
    REQUIRE(Names({{"kv", nullptr, {"driver"}},
                   {"redis", nullptr, {}, {"driver"}},
                   {"memory", nullptr, {}, {"driver"}}}) ==
            std::vector<std::string>{"redis", "memory", "kv"});
    REQUIRE(Names({{"kv", nullptr, {"nothing offers this"}}}) == std::vector<std::string>{"kv"});
}

TEST_CASE("plugin table: a cycle is reported by name") {
    auto order = SortPlugins({{"x", nullptr, {"a"}},
                              {"a", nullptr, {"b"}},
                              {"b", nullptr, {"c"}},
                              {"c", nullptr, {"a"}}});
    REQUIRE_FALSE(order);
    REQUIRE(order.error().message == "plugins need each other: a -> b -> c -> a");
}

TEST_CASE("plugin table: two plugins of one name are refused") {
    REQUIRE_FALSE(SortPlugins({{"a", nullptr}, {"a", nullptr}}));
}

TEST_CASE("plugin table: the graph shows who needs whom") {
    std::vector<PluginRow> table = {{"server", nullptr}, {"http", nullptr, {"server"}}};
    std::string graph = PluginGraph(*SortPlugins(table));
    REQUIRE(graph.find("\"http\" -> \"server\"") != std::string::npos);
}
