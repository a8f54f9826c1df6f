// lock: locks for PHP processes, over RPC. Always on; it has no section.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::lock {

std::unique_ptr<Plugin> Make();

}  // namespace rr::lock
