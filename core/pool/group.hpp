// PoolGroup: a pool as the control plane sees it. Lists, resizes and resets a pool that lives on
// another loop; every plugin with a pool holds one and publishes it as WorkerGroup and Resettable.
//
// Thread: main, but for Attach and Detach, which belong to the pool's loop.
// Owns:   the pulse, and what waits for an answer. Borrows the pool between Attach and Detach.
// Fails:  through the callbacks; without a pool: kClosed.
#pragma once

#include <string>
#include <utility>

#include "core/api/resettable.hpp"
#include "core/api/worker_group.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/pool/pool.hpp"

namespace rr::pool {

class PoolGroup final : public WorkerGroup, public Resettable {
public:
    // name: `http`. data: the pool's loop. Both loops outlive the group.
    PoolGroup(std::string name, Loop& main, Loop& data, log::Logger log, bool vital = true);

    GroupPulse& writable_pulse() { return pulse_; }

    // On the data loop: from when to when there is a pool.
    void Attach(WorkerPool& pool) { pool_ = &pool; }
    void Detach() { pool_ = nullptr; }

    std::string_view group_name() const override { return name_; }
    const GroupPulse* pulse() const override { return &pulse_; }
    bool vital() const override { return vital_; }
    void Status(StatusDone done) override;
    void AddWorker(Done done) override;
    void RemoveWorker(Done done) override;

    // Called when a reset begins: what else the plugin wants to be new.
    void OnReset(Callback<void()> begins) { on_reset_ = std::move(begins); }

    std::string_view reset_name() const override { return name_; }
    void Reset(Callback<void(Result<void>)> done) override;

private:
    // Runs `what` on the pool's loop and brings its answer home.
    template <class What>
    void OnPool(Done done, What what);
    Result<void> NoPool() const;

    const std::string name_;
    Loop& main_;
    Loop& data_;
    const log::Logger log_;
    const bool vital_;
    GroupPulse pulse_;
    Callback<void()> on_reset_;
    WorkerPool* pool_ = nullptr;  // the data loop's
};

// Memory and processor use of each process, from /proc: a few microseconds each. Any thread.
void FillUsage(GroupStatus& status);

}  // namespace rr::pool
