// service: processes that run beside the workers: started, logged, restarted, stopped.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::service {

std::unique_ptr<Plugin> Make();

}  // namespace rr::service
