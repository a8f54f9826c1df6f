// WorkerPool: PHP processes, each answering one request at a time, and the queue in front of them.
//
// Thread: bound to the loop it was opened on; Post() there to reach it. No locks inside.
// Owns:   its workers, their relays, timers and the queue. Borrows Services and the loop, which
//         outlive it.
// Fails:  through JobResult; never throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/api/worker_group.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/pool/config.hpp"
#include "core/pool/job.hpp"
#include "core/pool/services.hpp"

namespace rr::pool {

class WorkerPool {
public:
    using Opened = Callback<void(Result<std::unique_ptr<WorkerPool>>)>;
    using Done = Callback<void(Result<void>)>;

    // Starts cfg.num_workers processes at once. Reports once: all ready, or the first error.
    // name: the plugin's (`http`), which is also RR_MODE, perhaps with one of the pool: `http.slow`. pulse: kept up to date, outlives the pool.
    // Call on the loop itself.
    static void Open(Loop& loop, const Services& services, std::string name, PoolConfig cfg,
                     GroupPulse& pulse, Opened opened);

    virtual ~WorkerPool() = default;

    // Gives job to the worker that went idle last, or queues it.
    // sink gets OnHead and OnChunk per frame, then OnDone exactly once, never before Exec returned.
    // REQUIRES: sink and the job's bytes live until OnDone.
    virtual Ticket Exec(const Job& job, JobSink& sink) = 0;

    // A queued job leaves the queue unexecuted; a streaming one gets STOP; any other runs to its
    // end. From here on only OnDone comes.
    virtual void Cancel(Ticket ticket) = 0;

    // True while the job waits for a worker: Cancel would then drop it unexecuted.
    virtual bool InQueue(Ticket ticket) const = 0;

    // Continues after OnChunk returned false.
    virtual void Resume(Ticket ticket) = 0;

    // A new generation boots beside the old one and takes over. done: when it has, or why not; the
    // old generation then stays. A second call joins the one that has not begun yet.
    virtual void Reset(Done done) = 0;

    virtual void AddWorker(Done done) = 0;
    // done: when an idle one has gone, or at once when a busy one will after its request.
    virtual void RemoveWorker(Done done) = 0;

    // Without memory and processor use, which are read elsewhere (FillUsage).
    virtual GroupStatus Status() const = 0;
    virtual const PoolConfig& config() const = 0;

    // Lets running jobs finish until deadline, then kills; queued jobs end with kClosed at the
    // deadline. No call but Status is valid afterwards; destroy the pool after `closed`.
    virtual void Close(Deadline deadline, Callback<void()> closed) = 0;
};

}  // namespace rr::pool
