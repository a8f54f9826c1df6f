#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::greeter {

std::unique_ptr<Plugin> Make();

}  // namespace rr::greeter
