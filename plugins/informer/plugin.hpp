// informer: RPC methods that list plugins with workers, and their workers.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::informer {

std::unique_ptr<Plugin> Make();

}  // namespace rr::informer
