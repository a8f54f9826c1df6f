// Services: what a pool needs from the rest of the server. Published by the server plugin.
//
// Thread: the struct is constant after Init; each member says where it may be called.
#pragma once

#include "core/api/events.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/pool/launch.hpp"
#include "core/pool/spawner.hpp"

namespace rr::relay {
class SocketHub;
}

namespace rr::pool {

struct Services {
    Loop* main = nullptr;
    Spawner* spawner = nullptr;
    relay::SocketHub* hub = nullptr;  // null: pipes
    EventBus* events = nullptr;
    ServerSettings settings;
    log::Logger log;  // `server`: worker output and pool records
    // --watch: a boot that fails does not end the start, and until a later one succeeds requests are
    // told why (kStandstill) instead of being run by what is left of older code.
    bool watch = false;
};

}  // namespace rr::pool
