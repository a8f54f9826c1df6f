// sendfile: the middleware that sends the file which a worker names in X-Sendfile.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::sendfile {

std::unique_ptr<Plugin> Make();

}  // namespace rr::sendfile
