// The http plugin: an HTTP/1.1 server whose requests are answered by PHP workers.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::http {

std::unique_ptr<Plugin> Make();

}  // namespace rr::http
