// gzip: the middleware `gzip` of http.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::gzip {

std::unique_ptr<Plugin> Make();

}  // namespace rr::gzip
