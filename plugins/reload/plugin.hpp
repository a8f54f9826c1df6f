// reload: replaces workers when the files of the application change.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::reload {

std::unique_ptr<Plugin> Make();

}  // namespace rr::reload
