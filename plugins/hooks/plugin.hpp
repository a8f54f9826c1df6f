// hooks: runs commands when something happens in the server.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::hooks {

std::unique_ptr<Plugin> Make();

}  // namespace rr::hooks
