// Worker: one process, from its start to its exit, and the requests it holds.
//
// Thread: the pool's loop.
// Owns:   the channel, the error output, its timers; the process itself belongs to the Spawner.
// Fails:  tells its owner; every worker ends with OnWorkerGone, whatever happened before.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/loop.hpp"
#include "core/net/timer.hpp"
#include "core/pool/activity.hpp"
#include "core/pool/entry.hpp"
#include "core/pool/meter.hpp"
#include "core/pool/pool.hpp"
#include "core/pool/spawner.hpp"
#include "core/pool/worker_log.hpp"
#include "relay/channel.hpp"
#include "relay/socket_hub.hpp"

namespace rr::pool {

// Why a worker leaves; the word is what logs and events show.
enum class Leave : uint8_t {
    kNo,
    kMaxJobs,
    kTtl,
    kIdleTtl,
    kMemory,
    kExecTtl,
    kProtocol,
    kReplaceMe,
    kReset,
    kRemoved,
    kShrink,
    kDebug,
    kFence,
    kClosing,
    kDied,
};
const char* Describe(Leave why);

// What the pool hears. None of these comes inside a call into the worker, but for OnAnswerEnd.
class WorkerOwner {
public:
    virtual void OnWorkerReady(Worker& worker) = 0;
    // The oldest request of the worker is over: answered, or handed back (replace me).
    // entry is null if it was abandoned. An event is over when the fence behind it was answered.
    virtual void OnAnswerEnd(Worker& worker, Entry* entry, JobEnd end, Bytes message) = 0;
    virtual void OnHandedBack(Worker& worker, Entry* entry) = 0;
    // Back in its wait loop some time after the answer (fence).
    virtual void OnWorkerFree(Worker& worker) = 0;
    // It answered a request that was over already, while it runs another one.
    virtual void OnStaleAnswer(Worker& worker) = 0;
    // Its fences can't be counted any more: it leaves after the current request.
    virtual void OnFenceDoubted(Worker& worker) = 0;
    // It is the first to answer a request that two may hold.
    virtual void OnClaimed(Entry& entry) = 0;
    // The process broke the wire format, or its relay broke; the owner kills it.
    virtual void OnWorkerBroken(Worker& worker, JobEnd end, Bytes message) = 0;
    // The process has exited and its output was read to the end. booted: it had been ready.
    virtual void OnWorkerGone(Worker& worker, bool booted, const ExitStatus& status) = 0;

protected:
    ~WorkerOwner() = default;
};

class Worker final : private LoopBound, private relay::ChannelHandler {
public:
    struct Settings {
        const Services* services;
        const std::string* pool_name;
        const PoolConfig* config;
        relay::Dialect dialect;
        uint64_t generation;
        std::shared_ptr<const LaunchPlan> plan;
        SocketSearch* search;
    };

    Worker(Loop& loop, Settings settings, WorkerOwner& owner);
    ~Worker();

    // Starts the process; OnWorkerReady or OnWorkerGone follows.
    void Boot();

    // Hands a request over. False: the worker is broken and never got it.
    bool Start(Entry& entry);
    // The same for the request after the current one, only if it goes out whole at once.
    bool Prefetch(Entry& entry);
    // Forgets an entry that was answered elsewhere or cancelled; its answer is dropped.
    void Abandon(Entry& entry);
    // Tells the worker that nobody listens to its stream any more.
    void StopStream();
    void ResumeOutput() { channel_->Resume(); }
    // Drops every request it holds; the owner has taken them back.
    void Forget();
    // Tells what its current request, or the last one, cost (PoolConfig::Watch).
    void TellUsage(Entry& entry);

    // True if it wrote something that nobody asked for, or is gone.
    relay::Channel::Unsolicited Peek() { return channel_->Peek(); }

    // Asks it to leave: stop command, TERM, KILL within limit.
    void Stop(Leave why, Duration limit);
    void Kill(Leave why);
    // Its relay ended: most often it is about to exit by itself, and its exit code is the better
    // story. It is killed if it does not.
    void AwaitExit();

    // ---- what the pool wants to know
    WorkerState state() const { return state_; }
    void SetInvalid() { state_ = WorkerState::kInvalid; }
    bool leaving() const { return stopping_ || killed_ || ending_; }
    bool booting() const { return !booted_ && !leaving() && !exited_; }
    bool serving() const { return booted_ && !leaving() && !exited_; }
    bool numbered() const { return numbered_; }
    bool busy() const { return open_count_ > 0 || awaiting_fence_; }
    bool awaiting_fence() const { return awaiting_fence_; }
    size_t open_count() const { return open_count_; }
    Entry* open(size_t i) const { return open_[i].entry; }
    bool streaming() const { return streaming_; }
    // It has not read a byte of its oldest request: whoever gets that next gets it for the first time.
    bool untouched() const {
        return open_count_ > 0 && channel_ && channel_->NoneRead(open_[0].before);
    }
    // Its output ended inside a frame.
    bool cut_off() const { return channel_ && channel_->mid_frame(); }
    relay::Dialect dialect() const { return settings_.dialect; }
    Instant started() const { return started_; }     // of the current request
    Duration last_run() const { return last_run_; }  // of the request that ended last
    Instant idle_since() const { return idle_since_; }
    Instant created() const { return created_; }
    uint64_t execs() const { return execs_; }
    uint64_t generation() const { return settings_.generation; }
    pid_t pid() const { return pid_; }
    Leave why() const { return why_; }
    WorkerInfo Info() const;
    // What it wrote, to its output and its error output, before it was ready; for people.
    std::string BootOutput() const;
    const std::string& boot_error() const { return boot_error_; }
    const std::string& command() const { return settings_.plan->command_line; }

    // ---- what the pool notes on it
    uint64_t max_execs = 0;     // 0: no limit
    Leave doomed = Leave::kNo;  // leaves when it may
    bool in_idle = false;
    Instant stream_deadline;  // of an old generation: from then on its stream gets STOP
    bool parked = false;      // ready, of a generation that has not taken over
    Callback<void(Result<void>)> booted_callback;  // of AddWorker
    Callback<void(Result<void>)> gone_callback;    // of RemoveWorker

private:
    struct Open {
        Entry* entry = nullptr;  // null: abandoned, its answer is dropped
        uint32_t number = 0;
        uint64_t before = 0;  // what had been sent when it was handed over
    };

    relay::ChannelHandler& AsHandler() { return *this; }
    bool OnFrame(const relay::FrameHeader& header, Bytes context, Bytes body, bool whole) override;
    bool OnBody(Bytes piece, bool last) override;
    void OnBroken(bool ended, const char* what, Bytes garbage) override;
    void OnSent() override;

    void OnSpawned(Result<Spawned> result);
    void OnConnected(relay::SocketHub::Connected connected);
    void OnExited(ExitStatus status);
    void BecomeReady(const relay::PidReply& reply);
    void FailBoot(std::string text);
    bool OnControl(Bytes payload);
    bool OnError(Bytes body);
    bool Number(const relay::FrameHeader& header);
    bool Claim();
    void WatchFence(const relay::FrameHeader& header);
    void RenewFence();
    bool OnFence();
    void EndEventAnswer();
    void EndAnswer(JobEnd end, Bytes message);
    void CheckInput();
    void Broken(JobEnd end, const std::string& message);
    bool Write(Entry& entry, uint32_t number, bool at_once);
    bool WriteV2(Job& job);
    Bytes Fence();
    void PutFence();
    void PumpFile();
    void OnFilePiece(int64_t size);
    void Escalate();
    void OnExecLimit();
    void Watch();
    void OnSlowTimer();
    void TellSlow(Entry& entry, Bytes doing);
    JobReport Report(const Entry& entry) const;
    std::string Doing() const;
    void FinishGone();

    const Settings settings_;
    WorkerOwner& owner_;
    // Told to the relay's listener, whose call may come when this object is gone.
    std::shared_ptr<Worker*> alive_ = std::make_shared<Worker*>(this);

    // Life.
    WorkerState state_ = WorkerState::kInactive;
    pid_t pid_ = 0;
    bool spawned_ = false;
    bool booted_ = false;
    bool boot_broken_ = false;  // its output ended or made no sense before it was ready
    bool numbered_ = false;
    bool stopping_ = false;
    bool killed_ = false;
    bool ending_ = false;  // its relay ended, its exit has not been seen
    bool exited_ = false;
    bool gone_ = false;
    Leave why_ = Leave::kNo;
    ExitStatus exit_;
    Instant created_;
    int64_t created_unix_ns_;
    std::string boot_error_;
    std::string boot_garbage_;  // what stood where a frame should
    std::unique_ptr<relay::Channel> channel_;
    std::unique_ptr<WorkerLog> log_;
    net::Timer life_timer_;  // boot limit, then the steps of a stop
    uint8_t escalation_ = 0;
    Duration stop_limit_{};

    // Requests.
    std::array<Open, 2> open_;  // oldest first
    size_t open_count_ = 0;
    uint32_t last_number_ = 0;
    uint64_t execs_ = 0;
    Instant started_;
    Duration last_run_{};
    Instant idle_since_;
    std::unique_ptr<net::Timer> exec_timer_;
    bool streaming_ = false;     // a frame with STREAM came, its last one did not
    bool answer_begun_ = false;  // of the oldest request
    bool frame_more_ = false;    // the frame that is delivered in pieces is not the last
    bool stop_sent_ = false;     // STOP to a stream
    char v2_body_prefix_[17];

    // What the current request costs; null: nobody wants to know (PoolConfig::Watch).
    std::unique_ptr<Meter> meter_;
    std::unique_ptr<net::Timer> slow_timer_;
    Instant run_begun_;
    bool slow_told_ = false;

    // The pid request behind a request; its answer tells that the worker waits for the next one.
    bool awaiting_fence_ = false;  // it was sent, or is due
    bool fence_due_ = false;       // it follows when the request has gone out
    bool fence_doubted_ = false;   // a stream may have swallowed it; for good
    std::string fence_;            // the frame, from the first one on
    std::string fence_answer_;     // the worker's, which is always the same

    // The oldest request, if it is an event: it may be answered any number of times.
    bool event_ = false;
    bool event_answered_ = false;  // at least once, or an error came
    bool event_failed_ = false;
    std::string event_error_;

    // A body that comes from a file.
    Entry* file_entry_ = nullptr;
    uint64_t file_offset_ = 0;
    bool file_reading_ = false;
    std::unique_ptr<char[]> file_piece_;
};

}  // namespace rr::pool
