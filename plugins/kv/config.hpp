// The section `kv`: storages and their drivers.
//
//   kv:
//     sessions:
//       driver: memory        # required
//       config: {}            # the driver's keys; without it the top-level section `sessions`
#pragma once

#include <span>
#include <string_view>

#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "plugins/kv/storage.hpp"

namespace rr::config {
class Config;
}

namespace rr::kv {

struct DriverRow {
    std::string_view name;
    MakeStore make;
};

std::span<const DriverRow> Drivers();

// In the order of the file. What is wrong is reported to the config; a storage whose driver nobody
// knows is left out with a warning, as in RoadRunner.
Storages ParseStorages(config::Config& config, Loop& loop, log::Logger log,
                       const std::string& directory);

}  // namespace rr::kv
