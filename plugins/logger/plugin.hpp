// logger: writes what happens to the server and its workers into the log.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::logger {

std::unique_ptr<Plugin> Make();

}  // namespace rr::logger
