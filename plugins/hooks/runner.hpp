// Runner: runs hook commands and watches them to their end.
//
// What a command writes to stdout and stderr goes to the log line by line, with the event's name.
// At its timeout the whole process group is killed.
//
// Thread: the main loop.
// Owns:   the running commands. Borrows the spawner, which outlives it.
// Fails:  through Finished: not found, not started, exit code, signal, timeout.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "core/pool/launch.hpp"
#include "core/pool/spawner.hpp"
#include "plugins/hooks/config.hpp"
#include "plugins/hooks/variables.hpp"

namespace rr::hooks {

class Runner final : private LoopBound {
public:
    using Finished = Callback<void(Result<void>)>;

    // settings: directory, user and environment of the workers; hooks share them.
    Runner(Loop& main, pool::Spawner& spawner, pool::ServerSettings settings, log::Logger log);
    ~Runner();

    // finished: once, never inside this call. Runs at most `limit` long, and hook.timeout.
    // REQUIRES: hook outlives the run.
    void Run(Event event, const Hook& hook, Variables variables, Duration limit, Finished finished);

    size_t running() const { return commands_.size(); }

    // Waits for what runs until the deadline, then kills it.
    void Close(Deadline deadline, Callback<void()> closed);

private:
    class Command;
    friend class Command;
    void Remove(Command& command);
    void KillAll();

    pool::Spawner& spawner_;  // constant, like the next two
    const pool::ServerSettings settings_;
    const log::Logger log_;
    std::list<std::unique_ptr<Command>> commands_;
    std::unique_ptr<net::Timer> deadline_;  // armed while closing
    Callback<void()> closed_;
};

}  // namespace rr::hooks
