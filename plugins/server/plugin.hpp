// The server plugin: how workers are started, and the command that runs before them.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::server {

std::unique_ptr<Plugin> Make();

}  // namespace rr::server
