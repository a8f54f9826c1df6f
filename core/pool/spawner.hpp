// Spawner: starts processes and tells when they end.
//
// Processes are children of the main thread: the parent-death signal is tied to the forking thread.
//
// Thread: Spawn and Signal from any thread; callbacks come on the loop that was named.
// Owns:   the list of living children and the SIGCHLD watch.
// Fails:  Spawn reports what exec or fork said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/pool/launch.hpp"

namespace rr::pool {

struct Spawned {
    pid_t pid = 0;
    int in = -1;   // write end of its stdin (pipes relay), else -1
    int out = -1;  // read end of its stdout (pipes relay or captured), else -1
    int err = -1;  // read end of its stderr
};

struct ExitStatus {
    int code = -1;             // -1: ended by a signal
    int signal = 0;            // 0: ended by itself
    Duration cpu{};            // of its life, with those of its children that it waited for
    uint64_t peak_memory = 0;  // bytes since it was last reset; 0: unknown
};

struct SpawnRequest {
    std::shared_ptr<const LaunchPlan> plan;
    bool pipes = true;         // stdin and stdout are pipes to us; false: the null device
    bool whole_group = false;  // when it ends, what it leaves in its process group is killed
};

class Spawner {
public:
    virtual ~Spawner() = default;
    // spawned: once, on `home`. exited: once after a successful start, on `home`, later.
    virtual void Spawn(Loop& home, SpawnRequest request, Callback<void(Result<Spawned>)> spawned,
                       Callback<void(ExitStatus)> exited) = 0;
    // Sends a signal to the process's whole group, if it still lives.
    virtual void Signal(pid_t pid, int signal) = 0;
    // Kills every living child's group and starts no further one; for the end of the server.
    virtual void KillAll() = 0;
    // After KillAll: how a child ended says nothing about it. Any thread.
    virtual bool ending() const = 0;

    // The main loop is where it lives.
    static std::unique_ptr<Spawner> Make(Loop& main);
};

}  // namespace rr::pool
