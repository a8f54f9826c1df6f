// kv: storages of keys and values for PHP processes, over RPC.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::kv {

std::unique_ptr<Plugin> Make();

}  // namespace rr::kv
