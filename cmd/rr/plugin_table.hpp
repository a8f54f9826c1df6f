// The plugin table's rows and the order that follows from them.
//
// Thread: values.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/api/plugin.hpp"
#include "core/base/result.hpp"

namespace rr::cmd {

struct PluginRow {
    std::string_view name;
    std::unique_ptr<Plugin> (*make)();
    // Without one of these running the plugin is disabled. Names of plugins or of things offered.
    std::vector<std::string_view> needs = {};
    // What others may name under `needs`, besides the plugin's own name.
    std::vector<std::string_view> offers = {};
};

// Rows in the order of Init and Serve: every plugin behind the ones it needs, else as in the table.
// A need that no row offers does not count here.
// Fails: with a cycle, by name: `plugins need each other: a -> b -> a`; with a repeated name.
Result<std::vector<const PluginRow*>> SortPlugins(const std::vector<PluginRow>& table);

// The graph in Graphviz's language (`endure.print_graph`).
std::string PluginGraph(const std::vector<const PluginRow*>& order);

// True if `row` is, or offers, `need`.
bool Offers(const PluginRow& row, std::string_view need);

}  // namespace rr::cmd
