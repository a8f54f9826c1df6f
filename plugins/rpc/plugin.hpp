// The rpc plugin: methods of other plugins, callable over a socket.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::rpc {

std::unique_ptr<Plugin> Make();

}  // namespace rr::rpc
