#include "core/log/logger.hpp"

namespace rr::log {

constinit Channel silent_channel;

}  // namespace rr::log
