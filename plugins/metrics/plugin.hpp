// The metrics plugin: what the server and the application count, for Prometheus.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::metrics {

std::unique_ptr<Plugin> Make();

}  // namespace rr::metrics
