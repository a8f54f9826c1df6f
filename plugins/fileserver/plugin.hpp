// fileserver: folders served on an address of their own (`fileserver`).
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::fileserver {

std::unique_ptr<Plugin> Make();

}  // namespace rr::fileserver
