// The status plugin: /health, /ready and /jobs over HTTP, and the same questions over RPC.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::status {

std::unique_ptr<Plugin> Make();

}  // namespace rr::status
