// otel: traces of requests, exported to a collector.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::otel {

std::unique_ptr<Plugin> Make();

}  // namespace rr::otel
