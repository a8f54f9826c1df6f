// tcp: raw TCP, TLS, Unix and UDP servers with workers behind them.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::tcp {

std::unique_ptr<Plugin> Make();

}  // namespace rr::tcp
