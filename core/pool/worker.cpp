// A worker's life, from its start to its exit; worker_requests.cpp has what it runs.
#include "core/pool/worker.hpp"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "core/pool/process_stat.hpp"

namespace rr::pool {
namespace {

constexpr Duration kExitAfterOutput = std::chrono::milliseconds(200);

std::string ExitText(const ExitStatus& status) {
    if (status.signal != 0) {
        return "was killed by signal " + std::to_string(status.signal);
    }
    return "exited with code " + std::to_string(status.code);
}

}  // namespace

const char* Describe(Leave why) {
    switch (why) {
        case Leave::kNo: return "";
        case Leave::kMaxJobs: return "max_jobs";
        case Leave::kTtl: return "ttl";
        case Leave::kIdleTtl: return "idle_ttl";
        case Leave::kMemory: return "max_worker_memory";
        case Leave::kExecTtl: return "exec_ttl";
        case Leave::kProtocol: return "protocol";
        case Leave::kReplaceMe: return "replace_me";
        case Leave::kReset: return "reset";
        case Leave::kRemoved: return "removed";
        case Leave::kShrink: return "shrink";
        case Leave::kDebug: return "debug";
        case Leave::kFence: return "fence";
        case Leave::kClosing: return "closing";
        case Leave::kDied: return "died";
    }
    return "";
}

Worker::Worker(Loop& loop, Settings settings, WorkerOwner& owner)
    : LoopBound(loop),
      settings_(std::move(settings)),
      owner_(owner),
      created_(Clock::now()),
      created_unix_ns_(UnixNanoseconds()),
      life_timer_(loop, [this] { Escalate(); }) {}

Worker::~Worker() { *alive_ = nullptr; }

// ---- life

void Worker::Boot() {
    life_timer_.Arm(settings_.config->allocate_timeout);
    SpawnRequest request{settings_.plan, settings_.services->hub == nullptr};
    // The pool keeps a worker until its exit was seen: `this` outlives both callbacks.
    settings_.services->spawner->Spawn(
        loop_, std::move(request), [this](Result<Spawned> result) { OnSpawned(std::move(result)); },
        [this](ExitStatus status) { OnExited(status); });
}

void Worker::OnSpawned(Result<Spawned> result) {
    if (!result) {
        boot_error_ = std::move(result.error().message);
        killed_ = true;
        state_ = WorkerState::kErrored;
        exited_ = true;
        FinishGone();
        return;
    }
    spawned_ = true;
    pid_ = result->pid;
    log_ = std::make_unique<WorkerLog>(loop_, result->err, settings_.services->log);
    if (settings_.services->events->worker) {
        settings_.services->events->worker.Emit(
            {WorkerChange::kSpawned, *settings_.pool_name, pid_});
    }
    if (killed_ || stopping_) {
        settings_.services->spawner->Signal(pid_, SIGKILL);
    }
    if (settings_.services->hub != nullptr) {
        settings_.services->hub->Expect(pid_, loop_,
                                        [alive = alive_](relay::SocketHub::Connected connected) {
                                            if (*alive != nullptr) {
                                                (*alive)->OnConnected(connected);
                                            } else {
                                                close(connected.descriptor);
                                            }
                                        });
        return;
    }
    channel_ = std::make_unique<relay::Channel>(loop_, settings_.dialect, result->in, result->out,
                                                AsHandler());
    channel_->Send(relay::PidRequest(settings_.dialect, getpid()));
}

void Worker::OnConnected(relay::SocketHub::Connected connected) {
    if (exited_ || leaving()) {
        close(connected.descriptor);
        return;
    }
    channel_ = std::make_unique<relay::Channel>(loop_, settings_.dialect, connected.descriptor,
                                                connected.kind, AsHandler());
    BecomeReady(connected.reply);
}

void Worker::BecomeReady(const relay::PidReply& reply) {
    life_timer_.Disarm();
    booted_ = true;
    numbered_ = reply.numbered && settings_.dialect == relay::Dialect::kV3;
    state_ = WorkerState::kReady;
    idle_since_ = Clock::now();
    if (settings_.config->watch.any()) {
        meter_ = std::make_unique<Meter>(pid_, settings_.config->watch.memory);
    }
    owner_.OnWorkerReady(*this);
}

void Worker::FailBoot(std::string text) {
    if (boot_error_.empty()) {
        boot_error_ = std::move(text);
    }
    Kill(Leave::kDied);
}

std::string Worker::BootOutput() const {
    std::string output = boot_garbage_;
    if (!output.empty() && output.back() != '\n') {
        output += '\n';
    }
    output += log_ ? log_->tail() : "";
    while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
        output.pop_back();
    }
    return output;
}

void Worker::Stop(Leave why, Duration limit) {
    if (leaving() || exited_) {
        return;
    }
    why_ = why;
    stopping_ = true;
    state_ = WorkerState::kStopping;
    stop_limit_ = limit;
    escalation_ = 0;
    if (!channel_ || !channel_->Send(relay::StopCommand(settings_.dialect))) {
        Kill(why);
        return;
    }
    // Stop command now, TERM after half of the time, KILL well inside it.
    life_timer_.Arm(limit / 2);
}

void Worker::Kill(Leave why) {
    if (killed_) {
        return;
    }
    killed_ = true;
    if (why_ == Leave::kNo) {
        why_ = why;
    }
    state_ = WorkerState::kErrored;
    if (spawned_ && !exited_) {
        settings_.services->spawner->Signal(pid_, SIGKILL);
    }
}

void Worker::AwaitExit() {
    if (leaving() || exited_) {
        return;
    }
    ending_ = true;
    state_ = WorkerState::kErrored;
    life_timer_.Arm(kExitAfterOutput);
}

// The life timer fired: a boot took too long, or a stop was not obeyed.
void Worker::Escalate() {
    if (exited_) {
        return;
    }
    if (stop_sent_ && !stopping_ && !ending_) {
        Broken(JobEnd::kProtocol, "the stream did not end within stream_timeout after STOP");
        return;
    }
    if (ending_) {
        Kill(Leave::kDied);
        return;
    }
    if (boot_broken_) {
        FailBoot(boot_error_);
        return;
    }
    if (!booted_ && !stopping_) {
        auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(
            settings_.config->allocate_timeout);
        FailBoot("the worker did not answer the handshake within allocate_timeout (" +
                 std::to_string(limit.count()) +
                 " ms) and was killed; a worker must load a Goridge SDK and wait for requests");
        return;
    }
    if (escalation_++ == 0) {
        settings_.services->spawner->Signal(pid_, SIGTERM);
        life_timer_.Arm(stop_limit_ * 2 / 5);
        return;
    }
    Kill(why_);
}

void Worker::OnExited(ExitStatus status) {
    exited_ = true;
    exit_ = status;
    life_timer_.Disarm();
    if (settings_.services->hub != nullptr && !booted_) {
        settings_.services->hub->Forget(pid_);
    }
    if (log_) {
        log_->Finish();
    }
    if (channel_ && !gone_) {
        // What it managed to say counts: a whole answer in the pipe is an answer.
        channel_->DrainOutput();
    }
    if (!booted_ && !killed_) {
        boot_error_ = "the worker " + ExitText(status) + " before it was ready";
    }
    FinishGone();
}

void Worker::FinishGone() {
    // A helper thread may still read from a request's file: the request can't end before it.
    if (gone_ || !exited_ || file_reading_) {
        return;
    }
    gone_ = true;
    state_ = exit_.code == 0 && !killed_ ? WorkerState::kStopped : WorkerState::kErrored;
    for (auto* timer : {exec_timer_.get(), slow_timer_.get()}) {
        if (timer != nullptr) {
            timer->Disarm();
        }
    }
    owner_.OnWorkerGone(*this, booted_, exit_);
}

void Worker::OnBroken(bool ended, const char* what, Bytes garbage) {
    if (stopping_ || killed_) {
        return;
    }
    if (!booted_) {
        boot_error_ = ended ? "the worker closed its output before it was ready"
                            : "the worker wrote something else than Goridge frames to its output";
        boot_garbage_ = garbage.substr(0, 2048);
        // Most often it is about to exit, and its exit code belongs to the story.
        boot_broken_ = true;
        life_timer_.Arm(kExitAfterOutput);
        return;
    }
    if (ended) {
        owner_.OnWorkerBroken(*this, JobEnd::kWorkerDied, "the worker closed its relay");
        return;
    }
    std::string text = what;
    if (!garbage.empty()) {
        text += "; it wrote: ";
        text += garbage.substr(0, 512);
    }
    owner_.OnWorkerBroken(*this, JobEnd::kProtocol, text);
}

WorkerInfo Worker::Info() const {
    WorkerInfo info;
    info.pid = pid_;
    info.state = state_;
    info.execs = execs_;
    info.created_unix_ns = created_unix_ns_;
    if (open_count_ > 0 && open_[0].entry != nullptr && open_[0].entry->sink != nullptr) {
        info.task = open_[0].entry->sink->Summary();
        info.task_ns = (Clock::now() - started_).count();
    }
    return info;
}

}  // namespace rr::pool
