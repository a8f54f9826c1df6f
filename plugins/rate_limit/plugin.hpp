// rate_limit: the middleware that lets each client make so many requests in a time.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::rate_limit {

std::unique_ptr<Plugin> Make();

}  // namespace rr::rate_limit
