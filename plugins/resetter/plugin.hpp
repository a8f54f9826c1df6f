// resetter: RPC methods that replace the workers of a plugin.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::resetter {

std::unique_ptr<Plugin> Make();

}  // namespace rr::resetter
