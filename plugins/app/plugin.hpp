// app: the log for PHP code, over RPC. Always on; it has no section.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::app {

std::unique_ptr<Plugin> Make();

}  // namespace rr::app
