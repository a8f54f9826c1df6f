// Processes: boot, replacement, leaving, adding and removing by hand. See pool_impl.hpp for the
// other parts.
#include <signal.h>

#include <algorithm>
#include <utility>

#include "core/pool/pool_impl.hpp"
#include "core/pool/process_stat.hpp"

namespace rr::pool {
namespace {

constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLongestRetry = std::chrono::seconds(30);
constexpr Duration kShrinkTick = std::chrono::seconds(1);
constexpr uint64_t kJitter = 15;  // percent, exclusive: each worker lives N + N*r/100 jobs, r < 15

uint64_t NextRandom(uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

std::string Indented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        size_t end = text.find('\n');
        out += "\n    | ";
        out += text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return out;
}

}  // namespace

// ---- opening

void Pool::Begin(std::unique_ptr<WorkerPool> self, Opened opened) {
    self_ = std::move(self);
    opened_ = std::move(opened);
    Resolve([this](Result<Plan> plan) {
        if (!plan && services_.watch) {
            boot_error_ = std::move(plan.error().message);
            if (services_.events->worker) {
                WorkerEvent event{WorkerChange::kFailed, name_};
                event.reason = boot_error_;
                services_.events->worker.Emit(event);
            }
            BecomeOpen();
            return;
        }
        if (!plan) {
            OpenFailed(std::move(plan.error().message));
            return;
        }
        plan_ = std::move(*plan);
        Changed();
        if (cfg_.debug) {
            BecomeOpen();
            return;
        }
        Maintain();
    });
}

void Pool::BecomeOpen() {
    open_ = true;
    Changed();
    if (cfg_.supervised && !cfg_.debug) {
        watch_timer_.Repeat(cfg_.supervisor.watch_tick);
    }
    if (cfg_.dynamic && !cfg_.debug) {
        shrink_timer_.Repeat(kShrinkTick);
    }
    opened_(std::move(self_));
}

void Pool::OpenFailed(std::string text) {
    if (!open_failed_) {
        open_failed_ = true;
        open_error_ = std::move(text);
        for (auto& worker : workers_) {
            worker->Kill(Leave::kClosing);
        }
    }
    if (workers_.empty()) {
        // The last call on this object: it dies when its owner-to-be lets go of it.
        loop_.Post([self = std::move(self_), opened = std::move(opened_),
                    error = std::move(open_error_)]() mutable {
            opened(Fail(Errc::kProcess, std::move(error)));
        });
    }
}

// The launch plan as the world is now; files and users are looked up on the main thread.
void Pool::Resolve(Callback<void(Result<Plan>)> resolved) {
    Services const& services = services_;
    std::vector<std::string> command =
        cfg_.command.empty() ? services.settings.command : cfg_.command;
    ++resolving_;
    std::string mode = name_.substr(0, name_.find('.'));  // `http` of `http.slow`
    services.main->Post([&services, this, &home = loop_, command = std::move(command),
                         mode = std::move(mode), resolved = std::move(resolved)]() mutable {
        Result<Plan> plan =
            rr::pool::Resolve(services.settings, command, {{"RR_MODE", std::move(mode)}});
        home.Post([this, resolved = std::move(resolved), plan = std::move(plan)]() mutable {
            --resolving_;
            resolved(std::move(plan));
            CheckClosed();
        });
    });
}

Worker& Pool::Spawn(const Plan& plan, uint64_t generation) {
    Worker::Settings settings{&services_, &name_, &cfg_, dialect_, generation, plan};
    workers_.push_back(std::make_unique<Worker>(loop_, std::move(settings), AsOwner()));
    Worker& worker = *workers_.back();
    if (cfg_.debug) {
        worker.max_execs = 1;
    } else if (cfg_.max_jobs > 0) {
        worker.max_execs =
            cfg_.max_jobs + cfg_.max_jobs * (NextRandom(jitter_state_) % kJitter) / 100;
    }
    worker.Boot();
    Changed();
    return worker;
}

// ---- the right number of processes

size_t Pool::Serving() const {
    return static_cast<size_t>(
        std::count_if(workers_.begin(), workers_.end(), [this](const auto& w) {
            return w->generation() >= generation_ && w->serving() && !w->parked &&
                   w->doomed == Leave::kNo;
        }));
}

// Those that serve and those that soon will.
size_t Pool::Healthy() const {
    return Serving() + static_cast<size_t>(
                           std::count_if(workers_.begin(), workers_.end(), [this](const auto& w) {
                               return w->generation() == generation_ && w->booting() &&
                                      w->doomed == Leave::kNo;
                           }));
}

// Never more than twice as many of one generation; older ones that still finish don't count, or
// their long requests would keep new workers away.
bool Pool::MayBoot() const {
    auto mine =
        static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(), [this](const auto& w) {
            return w->generation() >= generation_;
        }));
    return mine < 2 * std::max<size_t>(target_ + extras_, 1);
}

// Boots what is missing. Doomed workers don't count: their successors boot while they still serve.
void Pool::Maintain() {
    if (closing_ || open_failed_ || cfg_.debug || plan_ == nullptr || boot_timer_.armed()) {
        return;
    }
    size_t wanted = target_ + extras_;
    for (size_t healthy = Healthy(); healthy < wanted && MayBoot(); ++healthy) {
        Spawn(plan_, generation_);
    }
}

void Pool::OnBootRetry() { Maintain(); }

void Pool::OnWorkerReady(Worker& worker) {
    Changed();
    Emit(WorkerChange::kReady, worker);
    boot_delay_ = Duration::zero();
    if (worker.generation() <= generation_) {  // else the older ones still stand for it
        boot_error_.clear();
    }
    dialect_settled_ = true;
    if (worker.booted_callback) {
        worker.booted_callback(Result<void>());
        worker.booted_callback = nullptr;
    }
    if (open_failed_) {
        worker.Kill(Leave::kClosing);
        return;
    }
    bool outdated = worker.generation() < generation_ || worker.doomed == Leave::kReset;
    if ((closing_ && queue_.empty()) || outdated) {
        Retire(worker, closing_ ? Leave::kClosing : Leave::kReset);
        return;
    }
    if (worker.generation() > generation_) {
        OnParked(worker);
        return;
    }
    Release(worker);
    RetireReplaced();
    if (!cfg_.debug && worker.in_idle && Serving() > target_ + extras_) {
        Retire(worker, Leave::kShrink);  // what it was to replace has stayed
    }
    if (!open_ && Serving() >= target_) {
        BecomeOpen();
    }
}

void Pool::OnWorkerGone(Worker& worker, bool booted, const ExitStatus& status) {
    Changed();
    RemoveIdle(worker);
    LeaveSlot(worker);
    Entry* current = worker.open_count() > 0 ? worker.open(0) : nullptr;
    Entry* next = worker.open_count() > 1 ? worker.open(1) : nullptr;
    Death death{status, worker.untouched()};
    if (worker.open_count() > 0) {
        --executing_;
        worker.Forget();
    }
    bool planned = worker.why() != Leave::kNo && worker.why() != Leave::kDied;
    if (booted) {
        Emit(planned ? WorkerChange::kStopped : WorkerChange::kExited, worker,
             Describe(worker.why()), &status);
    } else if (!planned) {
        NoteBootFailure(worker, status);
    }
    if (worker.booted_callback) {
        worker.booted_callback(Fail(Errc::kClosed, "the worker was stopped before it was ready"));
        worker.booted_callback = nullptr;
    }
    // Out of the list first: what follows may look for workers. It may also be on our stack.
    auto found = std::find_if(workers_.begin(), workers_.end(),
                              [&worker](const auto& w) { return w.get() == &worker; });
    std::unique_ptr<Worker> dead = std::move(*found);
    workers_.erase(found);
    if (worker.gone_callback) {
        worker.gone_callback(Result<void>());
        worker.gone_callback = nullptr;
    }
    if (next != nullptr) {
        JudgeDeath(worker, *next, death, false);
    }
    if (current != nullptr) {
        JudgeDeath(worker, *current, death, true);
    }
    loop_.Post([dead = std::move(dead)]() mutable { dead.reset(); });
    if (open_failed_) {
        if (workers_.empty() && self_) {
            OpenFailed("");
        }
        return;
    }
    if (closing_) {
        CheckClosed();
        return;
    }
    if (cfg_.debug) {
        EnsureDebugWorkers();
    }
    Maintain();
    BootNext();
    Feed();
}

std::string Pool::BootFailureText(const Worker& worker) const {
    std::string text = worker.boot_error();
    text += "\n  command: " + worker.command();
    std::string output = worker.BootOutput();
    text += output.empty() ? "\n  output:  (nothing)" : "\n  output:" + Indented(output);
    return text;
}

void Pool::NoteBootFailure(Worker& worker, const ExitStatus& status) {
    // Workers of RoadRunner 1.x choke on our first frame: try once in their dialect. Others that
    // were started in v3 may fail later than the first one of v2 is ready.
    bool in_question = !dialect_settled_ || dialect_ == relay::Dialect::kV2;
    if (in_question && worker.dialect() == relay::Dialect::kV3 && status.code > 0 &&
        worker.BootOutput().find("prefix") != std::string::npos) {
        if (dialect_ == relay::Dialect::kV3) {
            services_.log.Warn(
                "the worker speaks Goridge v2; set server.protocol: v2 to save the detour");
        }
        dialect_ = relay::Dialect::kV2;
        EndQueued(true, JobEnd::kProtocol, kEventsNeedV3);
        return;
    }
    bool ending = services_.spawner->ending();
    std::string text = ending ? "the server is stopping" : BootFailureText(worker);
    if (services_.events->worker && !ending) {
        std::string output = worker.BootOutput();
        WorkerEvent event{WorkerChange::kFailed, name_, worker.pid(), status.code, status.signal};
        event.reason = worker.boot_error();
        event.output = output;
        event.command = worker.command();
        services_.events->worker.Emit(event);
    }
    if (worker.booted_callback) {
        worker.booted_callback(Fail(Errc::kProcess, text));
        worker.booted_callback = nullptr;
    }
    boot_error_ = text;
    if (StandsStill() && Serving() == 0) {
        EndQueued(false, JobEnd::kStandstill, boot_error_);
    }
    if (worker.generation() > generation_) {
        EndReset(Fail(Errc::kProcess, std::move(text)));
        return;
    }
    if (cfg_.debug) {
        if (!queue_.empty()) {
            Entry* entry = queue_.front();
            queue_.Remove(entry);
            End(*entry, JobEnd::kBootFailed, text);
        }
        return;
    }
    if (!open_ && services_.watch && !ending) {
        BecomeOpen();
    } else if (!open_) {
        OpenFailed(std::move(text));
        return;
    }
    if (!boot_timer_.armed()) {  // several that fail together are one try
        boot_delay_ = boot_delay_ == Duration::zero()
                          ? kFirstRetry
                          : std::min<Duration>(2 * boot_delay_, kLongestRetry);
        boot_timer_.Arm(boot_delay_);
    }
}

// ---- leaving

// The worker leaves when it may; its successor starts to boot now.
void Pool::Doom(Worker& worker, Leave why) {
    if (worker.doomed != Leave::kNo) {
        return;
    }
    worker.doomed = why;
    Maintain();
}

bool Pool::MustLeave(const Worker& worker) const {
    switch (worker.doomed) {
        case Leave::kNo: return false;
        case Leave::kTtl:
        case Leave::kIdleTtl:
        case Leave::kMemory:
            // Soft limits: it serves on until its successor does.
            return Serving() >= target_ + extras_;
        default: return true;
    }
}

// Successors are ready: idle workers that stayed only for them go.
void Pool::RetireReplaced() {
    for (size_t i = idle_.size(); i-- > 0;) {
        Worker* worker = idle_[i];
        if (worker->doomed != Leave::kNo && MustLeave(*worker)) {
            Retire(*worker, worker->doomed);
        }
    }
}

void Pool::Retire(Worker& worker, Leave why) {
    RemoveIdle(worker);
    if (worker.leaving()) {
        return;
    }
    Changed();
    Emit(WorkerChange::kRecycled, worker, Describe(why));
    Duration limit = cfg_.destroy_timeout;
    if (closing_) {
        limit = std::clamp<Duration>(close_deadline_ - Clock::now(), std::chrono::milliseconds(1),
                                     limit);
    }
    worker.Stop(why, limit);
}

// The one that nobody missed for the longest time, and that has no successor yet.
Worker* Pool::LongestIdle() const {
    auto found = std::find_if(idle_.begin(), idle_.end(),
                              [](const Worker* w) { return w->doomed == Leave::kNo; });
    return found == idle_.end() ? nullptr : *found;
}

void Pool::RemoveIdle(Worker& worker) {
    if (worker.in_idle) {
        worker.in_idle = false;
        std::erase(idle_, &worker);
    }
}

// ---- by hand

void Pool::AddWorker(Done done) {
    if (closing_ || plan_ == nullptr) {
        done(closing_ ? Fail(Errc::kClosed, "the server is stopping")
                      : Fail(Errc::kProcess, boot_error_));
        return;
    }
    if (cfg_.debug) {
        services_.log.Warn("workers can't be added in debug mode", {{"plugin", name_}});
        done(Result<void>());
        return;
    }
    if (target_ >= kMostWorkers) {
        done(Fail(Errc::kBusy, "number of workers can't be more than 500"));
        return;
    }
    ++target_;
    Spawn(plan_, generation_).booted_callback = std::move(done);
}

void Pool::RemoveWorker(Done done) {
    if (cfg_.debug) {
        services_.log.Warn("workers can't be removed in debug mode", {{"plugin", name_}});
    } else if (target_ > 1) {
        --target_;
        if (Worker* idle = LongestIdle()) {
            // Who counts workers after this call must not meet it.
            idle->gone_callback = std::move(done);
            Retire(*idle, Leave::kRemoved);
            return;
        }
        auto one = std::find_if(workers_.begin(), workers_.end(), [](const auto& w) {
            return w->serving() && w->doomed == Leave::kNo;
        });
        if (one != workers_.end()) {
            (*one)->doomed = Leave::kRemoved;
            Feed();  // another one may have to take its jobs
        }
    }
    done(Result<void>());
}

// ---- events

void Pool::Emit(WorkerChange change, const Worker& worker, std::string_view reason,
                const ExitStatus* status) {
    if (!services_.events->worker) {
        return;
    }
    WorkerEvent event{change, name_, worker.pid()};
    event.execs = worker.execs();
    event.reason = reason;
    if (status != nullptr) {
        event.exit_code = status->code;
        event.signal = status->signal;
    }
    services_.events->worker.Emit(event);
}

}  // namespace rr::pool
