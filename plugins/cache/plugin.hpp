// cache: the middleware `cache` of http.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::cache {

std::unique_ptr<Plugin> Make();

}  // namespace rr::cache
