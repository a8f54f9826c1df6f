// static: the middleware that answers requests for files below a folder (`http.static`).
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::static_files {

std::unique_ptr<Plugin> Make();

}  // namespace rr::static_files
