// LockService: the RPC methods lock.{Lock, LockRead, Release, ForceRelease, Exists, UpdateTTL}.
//
// Thread: the main loop.
// Owns:   the table and the one timer that ends locks and patience.
// Fails:  through the reply: an empty id, a negative time.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "plugins/lock/lock_table.hpp"

namespace rr::lock {

class LockService final : public RpcService, private LoopBound {
public:
    // A line of so many is worth a warning, one in ten seconds.
    static constexpr size_t kCrowd = 500;

    LockService(Loop& main, log::Logger log);

    std::string_view rpc_name() const override { return "lock"; }
    void Describe(std::vector<RpcMethod>& methods) override;

    // Whoever waits is told that he has no lock, from now on at once.
    void StopWaiting();

    const LockTable& table() const { return table_; }

private:
    void Acquire(Mode mode, const RpcArgument& argument, RpcReply reply);
    // The answers that are known at once. needs_id: an empty one is refused.
    template <class Ask>
    RpcMethod Simple(std::string_view name, bool needs_id, Ask ask);
    void OnTimer();
    void WarnOfCrowd(std::string_view resource, Instant now);
    // Calls what was decided and sets the timer for what comes next.
    void Settle();

    const log::Logger log_;
    LockTable table_;
    net::Timer timer_;
    Instant armed_{};   // what for; meaningless unless timer_ is armed
    Instant warned_{};  // last; the epoch: never
};

}  // namespace rr::lock
