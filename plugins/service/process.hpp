// Process: one of a service's processes: starts it, logs what it writes, starts it again, ends it.
//
//   kIdle --Start--> kStarting --> kRunning --exit--> kIdle, or kPausing with remain_after_exit
//   kPausing --restart_sec--> kStarting
//   Stop: from kRunning (or kStarting, when it has started) to kStopping: SIGINT to its group, then
//   SIGKILL when the patience is over; --exit--> kIdle. From kPausing to kIdle.
//
// When it ends, whatever it leaves behind in its process group is killed: a restart never finds the
// one before still running.
//
// Thread: the main loop.
// Owns:   the pipes and the timer. Borrows the spawner and the config, which outlive it.
// Fails:  Start, with the reason; failures later are logged.
// REQUIRES: dies in kIdle (Stop was answered), or after the spawner's last callback.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/worker_group.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "core/pool/launch.hpp"
#include "core/pool/spawner.hpp"
#include "plugins/service/config.hpp"
#include "plugins/service/output_log.hpp"

namespace rr::service {

// What a process looks like now.
struct ProcessStatus {
    int64_t pid = 0;  // of a process that ended: its last one; 0: there never was one
    bool alive = false;
    uint64_t memory_bytes = 0;
    double cpu_percent = 0;
    std::string command;  // with the resolved path
    std::string problem;  // why it is not alive
};

class Process final : private LoopBound {
public:
    Process(Loop& main, pool::Spawner& spawner, const pool::ServerSettings& settings,
            const ServiceConfig& config, log::Logger log);

    // started: when the process exists, or why it does not.
    // REQUIRES: a new process, or one whose last Stop was answered.
    void Start(Callback<void(Result<void>)> started);

    // No restarts from here on. Waits for the end, kills after `patience`; a second call may only
    // make it shorter.
    void Stop(Duration patience, Callback<void()> stopped);

    ProcessStatus Status() const;

private:
    enum class State : uint8_t { kIdle, kStarting, kRunning, kStopping, kPausing };

    void Launch();
    void OnSpawned(Result<pool::Spawned> spawned);
    void OnExit(pool::ExitStatus status);
    void OnTimer();
    void Interrupt();
    // The process is gone, or never came: what now?
    void Rest();
    void LogExit(pool::ExitStatus status);
    bool Ending() const;
    // What happens next, for a record about an end.
    std::string Next() const;

    pool::Spawner& spawner_;  // constant after construction, like the next three
    const pool::ServerSettings& settings_;
    const ServiceConfig& config_;
    const log::Logger log_;
    net::Timer timer_;  // kRunning: exec_timeout; kStopping: patience; kPausing: restart_sec
    State state_ = State::kIdle;
    bool alive_ = false;
    bool timed_out_ = false;  // exec_timeout killed it
    int64_t pid_ = 0;
    int64_t created_unix_ns_ = 0;
    std::string command_;
    std::string problem_;
    Instant kill_at_ = Instant::max();
    std::optional<OutputLog> out_;
    std::optional<OutputLog> err_;
    Callback<void(Result<void>)> started_;
    std::vector<Callback<void()>> stopped_;  // not empty: a stop was asked for
};

}  // namespace rr::service
