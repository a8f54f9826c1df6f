// Pool: the WorkerPool. Its sources: pool.cpp hands requests out, prefetch.cpp ahead of time,
// affinity.cpp to the one worker that shall have them; crew.cpp keeps the right number of processes alive, supervision.cpp within their limits; reset.cpp
// replaces a generation; closing.cpp ends it all.
//
// Thread: its loop.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/loop.hpp"
#include "core/net/timer.hpp"
#include "core/pool/entry.hpp"
#include "core/pool/pool.hpp"
#include "core/pool/worker.hpp"

namespace rr::pool {

inline constexpr const char* kEventsNeedV3 = "the workers speak Goridge v2, which has no events";

class Pool final : public WorkerPool, private LoopBound, private WorkerOwner, private Flushable {
public:
    Pool(Loop& loop, const Services& services, std::string name, PoolConfig cfg, GroupPulse& pulse);
    ~Pool() override;

    // Resolves the launch plan and boots the first generation.
    void Begin(std::unique_ptr<WorkerPool> self, Opened opened);

    Ticket Exec(const Job& job, JobSink& sink) override;
    void Cancel(Ticket ticket) override;
    bool InQueue(Ticket ticket) const override;
    void Resume(Ticket ticket) override;
    void Reset(Done done) override;
    void AddWorker(Done done) override;
    void RemoveWorker(Done done) override;
    GroupStatus Status() const override;
    const PoolConfig& config() const override { return cfg_; }
    void Close(Deadline deadline, Callback<void()> closed) override;

private:
    using Plan = std::shared_ptr<const LaunchPlan>;
    WorkerOwner& AsOwner() { return *this; }

    // WorkerOwner
    void OnWorkerReady(Worker& worker) override;
    void OnWorkerFree(Worker& worker) override;
    void OnAnswerEnd(Worker& worker, Entry* entry, JobEnd end, Bytes message) override;
    void OnHandedBack(Worker& worker, Entry* entry) override;
    void OnStaleAnswer(Worker& worker) override;
    void OnFenceDoubted(Worker& worker) override;
    void OnClaimed(Entry& entry) override;
    void OnWorkerBroken(Worker& worker, JobEnd end, Bytes message) override;
    void OnWorkerGone(Worker& worker, bool booted, const ExitStatus& status) override;
    void OnTurnEnd() override;
    // The pulse has to be written at the end of this turn.
    void Changed() { loop_.AtTurnEnd(*this); }
    void Beat();

    // pool.cpp: requests
    Entry* Find(Ticket ticket) const;
    Entry* NewEntry(const Job& job, JobSink& sink);
    bool QueueFull() const;
    bool StandsStill() const;
    void EndLater(Entry& entry, JobEnd end, std::string message);
    void End(Entry& entry, JobEnd end, Bytes message);
    bool TryIdle(Entry& entry);
    bool Hand(Worker& worker, Entry& entry);
    void Release(Worker& worker);
    void Feed();
    void OnQueueTimer();
    void ArmQueueTimer();
    void Requeue(Entry& entry);
    void EndQueued(bool events, JobEnd end, const std::string& message);
    static bool Running(const Entry& entry);
    bool MayReplay(const Entry& entry, bool untouched) const;
    struct Death {
        ExitStatus status;
        bool untouched;  // it had not read a byte of its oldest request
    };
    void JudgeDeath(Worker& worker, Entry& entry, const Death& death, bool first);

    // affinity.cpp
    uint32_t LaneOf(uint64_t affinity);
    Worker* Holder(size_t slot);
    bool MayHold(const Worker& worker) const;
    bool Holds(const Worker& worker) const;
    bool SuccessorComing() const;
    bool TryHolder(Entry& entry);
    Entry* NextFor(const Worker& worker);
    void FeedBound();
    void LeaveSlot(const Worker& worker);

    // prefetch.cpp
    bool MayPrefetch(const Worker& worker, Instant now) const;
    void PrefetchFor(Worker& worker);
    void PrefetchAny();
    void OnPrefetchTimer();

    // crew.cpp: processes
    Worker& Spawn(const Plan& plan, uint64_t generation);
    void Resolve(Callback<void(Result<Plan>)> resolved);
    void Maintain();
    size_t Healthy() const;
    size_t Serving() const;
    bool MayBoot() const;
    void Doom(Worker& worker, Leave why);
    void Retire(Worker& worker, Leave why);
    void RetireReplaced();
    bool MustLeave(const Worker& worker) const;
    void RemoveIdle(Worker& worker);
    Worker* LongestIdle() const;
    void NoteBootFailure(Worker& worker, const ExitStatus& status);
    void OpenFailed(std::string text);
    void BecomeOpen();
    void OnBootRetry();
    void Emit(WorkerChange change, const Worker& worker, std::string_view reason = {},
              const ExitStatus* status = nullptr);
    std::string BootFailureText(const Worker& worker) const;

    // supervision.cpp
    void OnWatchTick();
    void Grow();
    void OnShrinkTick();
    void EnsureDebugWorkers();

    // closing.cpp
    void CheckClosed();

    // reset.cpp
    void BeginReset();
    void OnResetPlan(Result<Plan> plan);
    uint32_t AffordableSurge() const;
    void BootNext();
    void OnParked(Worker& worker);
    void TakeOver(size_t count);
    void DropNext();
    void EndReset(Result<void> result);
    void OnResetTimeout();

    const Services& services_;
    const std::string name_;
    const PoolConfig cfg_;
    const size_t debug_limit_;
    GroupPulse& pulse_;
    relay::Dialect dialect_;
    bool dialect_settled_;

    // Opening.
    Opened opened_;
    std::unique_ptr<WorkerPool> self_;  // until it is handed to its owner
    bool open_ = false;
    bool open_failed_ = false;
    std::string open_error_;

    // Processes.
    Plan plan_;
    uint64_t generation_ = 1;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> idle_;  // newest last; every entry is in workers_
    size_t target_ = 0;          // num_workers, changed by AddWorker and RemoveWorker
    size_t extras_ = 0;          // what the dynamic allocator added
    std::string boot_error_;
    Duration boot_delay_{};
    net::Timer boot_timer_;
    net::Timer watch_timer_;
    net::Timer shrink_timer_;
    uint64_t jitter_state_;

    // Requests.
    std::vector<std::unique_ptr<Entry>> entries_;  // slot = id & 0xffffffff
    std::vector<uint32_t> free_entries_;
    WaitingRoom queue_;
    std::vector<Worker*> slots_;  // who runs the jobs of a slot; num_workers, or none so far
    size_t executing_ = 0;
    std::vector<Entry*> ended_;  // their OnDone comes at the end of the turn
    net::Timer queue_timer_;
    net::Timer prefetch_timer_;
    double mean_run_ns_ = 0;  // weighted mean of recent executions
    size_t prefetch_cursor_ = 0;

    // Reset.
    bool resetting_ = false;
    Instant reset_begun_;
    Plan next_plan_;
    uint32_t reset_surge_ = 100;  // percent of the current reset
    size_t reset_left_ = 0;       // workers of the new generation that are still to boot
    std::vector<Done> reset_waiting_;
    std::vector<Done> reset_next_;  // their reset runs after the current one
    net::Timer reset_timer_;

    // Closing.
    int resolving_ = 0;  // answers of the main thread that are still to come
    bool closing_ = false;
    bool closed_called_ = false;
    Deadline close_deadline_{};
    Callback<void()> closed_;
    net::Timer close_timer_;
};

}  // namespace rr::pool
