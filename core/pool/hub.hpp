// OpenHub: the listener for workers when `server.relay` is tcp:// or unix://. Plugins cannot see
// relay/, so this is how one of them opens what Services::hub points to.
//
// Thread: main.
// Fails:  with what the bind said, or because server.user does not exist.
#pragma once

#include <memory>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/pool/launch.hpp"

namespace rr::relay {
class SocketHub;
}

namespace rr::pool {

struct CloseHub {
    void operator()(relay::SocketHub* hub) const;
};
using Hub = std::unique_ptr<relay::SocketHub, CloseHub>;

// Null for pipes.
Result<Hub> OpenHub(Loop& main, const ServerSettings& settings);

}  // namespace rr::pool
