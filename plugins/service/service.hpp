// Service: a command and its processes, which start, restart and stop together.
//
// Thread: the main loop.
// Owns:   its processes, and the config that they borrow.
// Fails:  Start and Restart, with the first process that could not be started.
// REQUIRES: dies after Stop was answered, like its processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"
#include "plugins/service/process.hpp"

namespace rr::service {

class Service final : private LoopBound {
public:
    using Done = Callback<void(Result<void>)>;

    // settings: directory, dotenv and the rest of what the server's children share.
    Service(Loop& main, pool::Spawner& spawner, const pool::ServerSettings& settings,
            ServiceConfig config, log::Logger log);

    const std::string& name() const { return config_.name; }

    // Once; Restart later.
    void Start(Done done);

    // Ends all processes, then starts them. Who asks while another restart is under way gets one
    // that began after his call; all are answered together.
    void Restart(Done done);

    // Ends all processes and every restart that waits.
    void Stop(Duration patience, Callback<void()> stopped);

    std::vector<ProcessStatus> Status() const;

private:
    void StopAll(Duration patience, Callback<void()> stopped);
    void StartAll(Done done);
    void Answer(const Result<void>& result);

    const ServiceConfig config_;
    const pool::ServerSettings settings_;
    std::vector<std::unique_ptr<Process>> processes_;
    uint64_t round_ = 0;  // of restarts; a later one takes an earlier one's place
    std::vector<Done> restarts_;
};

}  // namespace rr::service
