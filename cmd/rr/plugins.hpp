// The only list of plugins.
#pragma once

#include <vector>

#include "cmd/rr/plugin_table.hpp"

namespace rr::cmd {

const std::vector<PluginRow>& PluginTable();

}  // namespace rr::cmd
