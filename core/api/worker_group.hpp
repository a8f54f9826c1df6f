// WorkerGroup: the processes of one plugin, for whoever lists, counts, adds or replaces them.
//
// Thread: main, the callbacks too. The pulse may be read on any thread at any moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/result.hpp"

namespace rr {

// RoadRunner's codes and words (`rr workers`, informer.Workers).
enum class WorkerState : uint8_t {
    kInactive = 0,
    kReady = 1,
    kWorking = 2,
    kInvalid = 3,
    kStopping = 4,
    kStopped = 5,
    kDestroyed = 6,
    kMaxJobsReached = 7,
    kErrored = 8,
    kIdleTtlReached = 9,
    kTtlReached = 10,
    kMaxMemoryReached = 11,
};
inline const char* Describe(WorkerState state) {
    switch (state) {
        case WorkerState::kInactive: return "inactive";
        case WorkerState::kReady: return "ready";
        case WorkerState::kWorking: return "working";
        case WorkerState::kInvalid: return "invalid";
        case WorkerState::kStopping: return "stopping";
        case WorkerState::kStopped: return "stopped";
        case WorkerState::kDestroyed: return "destroyed";
        case WorkerState::kMaxJobsReached: return "maxJobsReached";
        case WorkerState::kErrored: return "errored";
        case WorkerState::kIdleTtlReached: return "idleTTLReached";
        case WorkerState::kTtlReached: return "ttlReached";
        case WorkerState::kMaxMemoryReached: return "maxMemoryReached";
    }
    return "undefined";
}

struct WorkerInfo {
    int64_t pid = 0;
    WorkerState state = WorkerState::kInactive;
    bool plain = false;  // a supervised process without a protocol: it has no state but being alive
    uint64_t execs = 0;
    int64_t created_unix_ns = 0;  // 0: not known
    uint64_t memory_bytes = 0;    // resident
    double cpu_percent = 0;       // average since the process started
    std::string command;          // empty: the server's command
    std::string task;             // what it works on, for people: `GET /slow`; empty: nothing
    int64_t task_ns = 0;          // for how long
};

struct GroupStatus {
    std::vector<WorkerInfo> workers;  // oldest first
    uint64_t queued = 0;              // waiting for a worker
    uint64_t generation = 0;          // counts resets
    bool resetting = false;
    bool debug = false;
    std::string boot_error;  // of the last boot, if it failed
};

// A pool's state in numbers, written by its loop once per turn: reading it never waits for the
// loop, however busy that is. Each number is right by itself; together they may be a turn apart.
struct GroupPulse {
    std::atomic<uint32_t> total{0};    // processes that exist
    std::atomic<uint32_t> ready{0};    // idle
    std::atomic<uint32_t> working{0};  // running a request
    std::atomic<uint32_t> invalid{0};  // over a limit, replaced when their request ends
    std::atomic<uint32_t> queued{0};
    std::atomic<bool> can_serve{false};  // a worker is ready or working and the queue is not full
    std::atomic<bool> resetting{false};
    std::atomic<bool> debug{false};        // workers are started on demand
    std::atomic<bool> boot_failed{false};  // the last boot
};

class WorkerGroup {
public:
    using Done = Callback<void(Result<void>)>;
    using StatusDone = Callback<void(Result<GroupStatus>)>;

    // The plugin's: `http`. One plugin may have several groups: `http`, `http.slow`.
    virtual std::string_view group_name() const = 0;

    // Null: supervised processes without a pool, which say nothing about readiness.
    virtual const GroupPulse* pulse() const = 0;

    // False: whatever happens in it, the server is healthy and ready.
    virtual bool vital() const { return true; }

    // Asks the group's loop, then reads memory and processor use of each process.
    virtual void Status(StatusDone done) = 0;

    // False: AddWorker and RemoveWorker always fail.
    virtual bool resizable() const { return true; }
    virtual void AddWorker(Done done) = 0;
    virtual void RemoveWorker(Done done) = 0;

protected:
    ~WorkerGroup() = default;
};

}  // namespace rr
