// proxy_ip_parser: the middleware that finds the client behind trusted proxies.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::proxy_ip_parser {

std::unique_ptr<Plugin> Make();

}  // namespace rr::proxy_ip_parser
