// Requests: queue, hand-out, prefetch, answers. See pool_impl.hpp for the other parts.
#include "core/pool/pool.hpp"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "core/pool/pool_impl.hpp"

namespace rr::pool {
namespace {

constexpr size_t kOurQueue = 1024;          // if max_queue_size is absent ...
constexpr size_t kOurQueuePerWorker = 256;  // ... or this much a worker, the larger
constexpr uint8_t kMostHandedBack = 10;     // replace-me answers to one request
constexpr uint8_t kMostDeaths = 3;          // of workers that did not even read a request
constexpr Duration kGrowAfter = std::chrono::milliseconds(200);
constexpr double kMeanWeight = 0.1;

}  // namespace

void WorkerPool::Open(Loop& loop, const Services& services, std::string name, PoolConfig cfg,
                      GroupPulse& pulse, Opened opened) {
    auto pool = std::make_unique<Pool>(loop, services, std::move(name), std::move(cfg), pulse);
    Pool& started = *pool;
    started.Begin(std::move(pool), std::move(opened));
}

Pool::Pool(Loop& loop, const Services& services, std::string name, PoolConfig cfg,
           GroupPulse& pulse)
    : LoopBound(loop),
      services_(services),
      name_(std::move(name)),
      cfg_(std::move(cfg)),
      debug_limit_(cfg_.debug_workers > 0
                       ? cfg_.debug_workers
                       : std::max<size_t>(8, 2 * std::thread::hardware_concurrency())),
      pulse_(pulse),
      dialect_(services.settings.protocol == Protocol::kV2 ? relay::Dialect::kV2
                                                           : relay::Dialect::kV3),
      dialect_settled_(services.settings.protocol != Protocol::kAuto || services.hub != nullptr),
      target_(cfg_.debug ? 0 : cfg_.num_workers),
      boot_timer_(loop, [this] { OnBootRetry(); }),
      watch_timer_(loop, [this] { OnWatchTick(); }),
      shrink_timer_(loop, [this] { OnShrinkTick(); }),
      jitter_state_(static_cast<uint64_t>(UnixNanoseconds()) | 1),
      queue_timer_(loop, [this] { OnQueueTimer(); }),
      prefetch_timer_(loop, [this] { OnPrefetchTimer(); }),
      reset_timer_(loop, [this] { OnResetTimeout(); }),
      close_timer_(loop, [this] { CheckClosed(); }) {}

Pool::~Pool() { loop_.ForgetTurnEnd(*this); }

// ---- entries

Entry* Pool::NewEntry(const Job& job, JobSink& sink) {
    if (free_entries_.empty()) {
        free_entries_.push_back(static_cast<uint32_t>(entries_.size()));
        entries_.push_back(std::make_unique<Entry>());
    }
    uint32_t slot = free_entries_.back();
    free_entries_.pop_back();
    Entry* entry = entries_[slot].get();
    // The upper half of the id tells one use of a slot from the next.
    uint64_t use = (entry->id >> 32) + 1;
    *entry = Entry{};
    entry->id = use << 32 | slot;
    entry->job = job;
    entry->sink = &sink;
    entry->since = Clock::now();
    if (job.affinity != 0 && !cfg_.debug) {
        entry->lane = LaneOf(job.affinity);
    }
    return entry;
}

Entry* Pool::Find(Ticket ticket) const {
    auto slot = static_cast<uint32_t>(ticket.id);
    if (!ticket || slot >= entries_.size() || entries_[slot]->id != ticket.id ||
        entries_[slot]->sink == nullptr) {
        return nullptr;
    }
    return entries_[slot].get();
}

// Ends an entry when the caller's stack is gone: OnDone never comes before Exec has returned.
void Pool::EndLater(Entry& entry, JobEnd end, std::string message) {
    RR_ASSERT(!entry.ended);
    entry.ended = true;
    entry.end = end;
    entry.message = std::move(message);
    ended_.push_back(&entry);
    loop_.AtTurnEnd(*this);
}

void Pool::OnTurnEnd() {
    std::vector<Entry*> ended = std::move(ended_);
    ended_.clear();
    for (Entry* entry : ended) {
        std::string message = std::move(entry->message);
        entry->ended = false;
        End(*entry, entry->end, message);
    }
    Beat();
}

void Pool::End(Entry& entry, JobEnd end, Bytes message) {
    if (entry.ended) {
        return;
    }
    RR_ASSERT(!entry.in_queue);
    for (Worker* worker : entry.on) {
        if (worker != nullptr) {
            worker->Abandon(entry);
        }
    }
    if (entry.cancelled) {
        end = JobEnd::kCancelled;
    }
    JobSink* sink = std::exchange(entry.sink, nullptr);
    free_entries_.push_back(static_cast<uint32_t>(entry.id));
    sink->OnDone({end, message});
}

// ---- in

bool Pool::QueueFull() const {
    if (cfg_.debug || cfg_.max_queue_size == 0) {
        return false;
    }
    if (cfg_.max_queue_size > 0) {
        return queue_.size() + executing_ >= static_cast<size_t>(cfg_.max_queue_size);
    }
    return queue_.size() >= std::max(kOurQueue, kOurQueuePerWorker * cfg_.num_workers);
}

// Nobody wants an answer of code that was edited meanwhile and does not start.
bool Pool::StandsStill() const {
    return services_.watch && !boot_error_.empty() && (!cfg_.debug || plan_ == nullptr);
}

Ticket Pool::Exec(const Job& job, JobSink& sink) {
    AssertInLoop();
    RR_ASSERT(job.context_size + job.body_size + job.body_file_size > 0);
    Changed();
    Entry* entry = NewEntry(job, sink);
    Ticket ticket{entry->id};
    uint64_t total = uint64_t{job.context_size} + job.body_size + job.body_file_size;
    if (closing_) {
        EndLater(*entry, JobEnd::kClosed, "the pool is closing");
    } else if (!job.event && StandsStill()) {
        EndLater(*entry, JobEnd::kStandstill, boot_error_);
    } else if (total > std::numeric_limits<uint32_t>::max()) {
        EndLater(*entry, JobEnd::kTooLarge, "context and body exceed 4294967295 bytes");
    } else if (!job.patient && QueueFull()) {
        EndLater(*entry, JobEnd::kQueueFull, "the queue is full");
    } else if (job.event && dialect_ == relay::Dialect::kV2) {
        EndLater(*entry, JobEnd::kProtocol, kEventsNeedV3);
    } else if (!queue_.Behind(*entry).empty() ||
               !(entry->lane == 0 ? TryIdle(*entry) : TryHolder(*entry))) {
        queue_.PushBack(entry);
        if (cfg_.debug) {
            EnsureDebugWorkers();
        } else {
            PrefetchAny();
        }
        ArmQueueTimer();
    }
    return ticket;
}

bool Pool::TryIdle(Entry& entry) {
    while (!idle_.empty()) {
        Worker* worker = idle_.back();
        idle_.pop_back();
        worker->in_idle = false;
        if (Hand(*worker, entry)) {
            return true;
        }
    }
    return false;
}

// Gives a request to a worker that has none. False: the worker turned out to be broken; it is
// being replaced and the request was not seen by it.
bool Pool::Hand(Worker& worker, Entry& entry) {
    // Numbers tell a stale answer apart by themselves, and a request that may run twice loses
    // nothing by it: one system call less.
    bool look = !worker.numbered() || !entry.job.replayable;
    switch (look ? worker.Peek() : relay::Channel::Unsolicited::kNone) {
        case relay::Channel::Unsolicited::kNone: break;
        case relay::Channel::Unsolicited::kBytes:
            services_.log.Warn("worker wrote an answer that nobody asked for, it is replaced",
                               {{"pid", worker.pid()}});
            worker.Kill(Leave::kProtocol);
            return false;
        case relay::Channel::Unsolicited::kEnded: worker.AwaitExit(); return false;
    }
    if (!worker.Start(entry)) {
        worker.AwaitExit();
        return false;
    }
    ++executing_;
    if (worker.max_execs > 0 && worker.execs() >= worker.max_execs && !cfg_.debug) {
        Doom(worker, Leave::kMaxJobs);
    }
    return true;
}

// A worker has nothing to do any more.
void Pool::Release(Worker& worker) {
    if (!worker.serving() || worker.busy() || worker.parked) {
        return;
    }
    if (closing_ && queue_.empty()) {
        Retire(worker, Leave::kClosing);
        return;
    }
    if (cfg_.debug && (worker.execs() > 0 || queue_.empty())) {
        Retire(worker, Leave::kDebug);
        return;
    }
    if (MustLeave(worker)) {
        Retire(worker, worker.doomed);
        return;
    }
    if (Entry* entry = queue_.bound() > 0 ? NextFor(worker) : queue_.open().front()) {
        queue_.Remove(entry);
        if (Hand(worker, *entry)) {
            PrefetchFor(worker);
        } else {
            queue_.PushFront(entry);
        }
        return;
    }
    if (closing_) {
        Retire(worker, Leave::kClosing);  // all that wait do so for others
        return;
    }
    worker.in_idle = true;
    idle_.push_back(&worker);
}

// Gives queued requests to idle workers.
void Pool::Feed() {
    while (!queue_.open().empty() && !idle_.empty()) {
        Changed();
        Entry* entry = queue_.open().front();
        queue_.Remove(entry);
        if (!TryIdle(*entry)) {
            queue_.PushFront(entry);
            break;
        }
    }
    if (queue_.bound() > 0) {
        FeedBound();
    }
}

void Pool::Cancel(Ticket ticket) {
    AssertInLoop();
    Entry* entry = Find(ticket);
    if (entry == nullptr || entry->cancelled) {
        return;
    }
    entry->cancelled = true;
    Changed();
    if (entry->ended) {
        return;
    }
    if (entry->in_queue) {
        queue_.Remove(entry);
    }
    Worker* worker = entry->answering;
    if (worker != nullptr) {
        if (entry->streaming) {
            worker->StopStream();
        }
        worker->ResumeOutput();
        return;
    }
    if (Running(*entry)) {
        return;  // its end ends the entry
    }
    EndLater(*entry, JobEnd::kCancelled, "");
}

bool Pool::InQueue(Ticket ticket) const {
    AssertInLoop();
    const Entry* entry = Find(ticket);
    return entry != nullptr && entry->in_queue && !entry->attached();
}

void Pool::Resume(Ticket ticket) {
    AssertInLoop();
    Entry* entry = Find(ticket);
    if (entry != nullptr && entry->answering != nullptr) {
        entry->answering->ResumeOutput();
    }
}

// Those that wait for any worker and will not get one.
void Pool::EndQueued(bool events, JobEnd end, const std::string& message) {
    std::vector<Entry*> found;
    for (Entry* entry = queue_.open().front(); entry != nullptr; entry = entry->next) {
        if (entry->job.event == events && !Running(*entry)) {
            found.push_back(entry);
        }
    }
    for (Entry* entry : found) {
        queue_.Remove(entry);
        EndLater(*entry, end, message);
    }
}

// Some worker has begun it: it is not only waiting in a pipe.
bool Pool::Running(const Entry& entry) {
    return std::any_of(entry.on.begin(), entry.on.end(), [&entry](const Worker* holder) {
        return holder != nullptr && holder->open_count() > 0 && holder->open(0) == &entry;
    });
}

// ---- waiting

void Pool::ArmQueueTimer() {
    if (queue_.empty() || queue_timer_.armed()) {
        return;
    }
    Duration next = Duration::max();
    if (const Entry* first = queue_.first_hurried()) {
        next = first->since + cfg_.allocate_timeout - Clock::now();
    }
    if (cfg_.dynamic && !cfg_.debug && !queue_.open().empty()) {
        Duration patience = std::min<Duration>(kGrowAfter, cfg_.allocate_timeout / 10);
        next = std::min(next, patience);
    }
    if (next != Duration::max()) {
        queue_timer_.Arm(std::max<Duration>(next, std::chrono::milliseconds(1)));
    }
}

void Pool::OnQueueTimer() {
    Changed();
    Instant now = Clock::now();
    for (Entry* entry = queue_.first_hurried();
         entry != nullptr && now - entry->since >= cfg_.allocate_timeout;
         entry = queue_.first_hurried()) {
        queue_.Remove(entry);
        if (Running(*entry)) {
            continue;  // prefetched, and its turn has come meanwhile
        }
        std::string text = "no worker became free within allocate_timeout";
        if (!boot_error_.empty()) {
            text += "; the last worker that was started failed: " + boot_error_;
        }
        End(*entry, JobEnd::kNoWorker, text);
    }
    const Entry* first = queue_.open().front();
    if (cfg_.dynamic && !cfg_.debug && first != nullptr &&
        now - first->since >= std::min<Duration>(kGrowAfter, cfg_.allocate_timeout / 10)) {
        Grow();
    }
    ArmQueueTimer();
}

// ---- out

void Pool::Requeue(Entry& entry) {
    Changed();
    queue_.PushFront(&entry);
    ArmQueueTimer();
}

void Pool::OnAnswerEnd(Worker& worker, Entry* entry, JobEnd end, Bytes message) {
    Changed();
    --executing_;
    if (worker.open_count() > 0) {
        ++executing_;  // the prefetched one runs now
        Entry* promoted = worker.open(0);
        if (promoted != nullptr && promoted->in_queue) {
            queue_.Remove(promoted);
        }
        if (worker.max_execs > 0 && worker.execs() >= worker.max_execs) {
            Doom(worker, Leave::kMaxJobs);
        }
    }
    mean_run_ns_ += kMeanWeight * (static_cast<double>(worker.last_run().count()) - mean_run_ns_);
    if (worker.open_count() > 0) {
        PrefetchFor(worker);
    } else {
        Release(worker);
    }
    if (entry != nullptr) {
        if (entry->in_queue) {
            queue_.Remove(entry);
        }
        End(*entry, end, message);
    }
}

void Pool::OnWorkerFree(Worker& worker) {
    Changed();
    Release(worker);
}

// The worker wants to be replaced and did not run the request.
void Pool::OnHandedBack(Worker& worker, Entry* entry) {
    Changed();
    --executing_;
    Entry* next = worker.open_count() > 0 ? worker.open(0) : nullptr;
    worker.Forget();
    if (next != nullptr) {
        next->Detach(&worker);
        if (!next->in_queue && !next->attached() && !next->ended) {
            Requeue(*next);
        }
    }
    Retire(worker, Leave::kReplaceMe);
    if (entry == nullptr) {
        return;
    }
    if (++entry->handed_back > kMostHandedBack) {
        End(*entry, JobEnd::kNoWorker,
            "ten workers in a row asked to be replaced instead of answering");
        return;
    }
    if (entry->cancelled) {
        End(*entry, JobEnd::kCancelled, "");
        return;
    }
    entry->answering = nullptr;
    entry->since = Clock::now();
    if (!entry->in_queue) {
        Requeue(*entry);
    }
    Feed();
}

// Nobody else has to run it any more.
void Pool::OnClaimed(Entry& entry) {
    if (entry.in_queue) {
        queue_.Remove(&entry);
    }
}

// A second answer to a request that is over. Its number says so: nobody pays for it, and the worker
// leaves as soon as it has answered what it runs now.
void Pool::OnStaleAnswer(Worker& worker) {
    if (worker.doomed == Leave::kNo) {
        services_.log.Warn("worker answered twice, it is replaced", {{"pid", worker.pid()}});
    }
    Doom(worker, Leave::kProtocol);
}

void Pool::OnFenceDoubted(Worker& worker) { Doom(worker, Leave::kFence); }

void Pool::OnWorkerBroken(Worker& worker, JobEnd end, Bytes message) {
    std::string text(message);
    if (end == JobEnd::kWorkerDied) {
        // Judged when its exit is known and its output was read to the end.
        RemoveIdle(worker);
        worker.AwaitExit();
        return;
    }
    RemoveIdle(worker);
    Leave why = end == JobEnd::kExecTtl ? Leave::kExecTtl : Leave::kProtocol;
    Emit(WorkerChange::kRecycled, worker, Describe(why));
    worker.Kill(why);
    if (end == JobEnd::kProtocol) {
        services_.log.Warn("worker broke the protocol, it is replaced",
                           {{"pid", worker.pid()}, {"reason", text}});
    }
    Entry* current = worker.open_count() > 0 ? worker.open(0) : nullptr;
    Entry* next = worker.open_count() > 1 ? worker.open(1) : nullptr;
    if (worker.open_count() > 0) {
        --executing_;
        worker.Forget();
    }
    if (next != nullptr) {
        next->Detach(&worker);
        if (!next->in_queue && !next->attached() && !next->ended) {
            Requeue(*next);
        }
    }
    if (current != nullptr) {
        current->Detach(&worker);
        if (current->in_queue) {
            queue_.Remove(current);
        }
        End(*current, end, text);
    }
    Feed();
}

// Within the first allocate_timeout. What may run twice: once; what the dead worker had not read a
// byte of: whatever it is, since nobody has seen it.
bool Pool::MayReplay(const Entry& entry, bool untouched) const {
    bool in_time = Clock::now() - entry.since < cfg_.allocate_timeout;
    bool harmless =
        untouched ? entry.deaths < kMostDeaths : entry.job.replayable && entry.deaths == 0;
    return harmless && in_time && !closing_ && !entry.cancelled && !entry.ended;
}

// A worker died under a request that it may or may not have begun.
void Pool::JudgeDeath(Worker& worker, Entry& entry, const Death& death, bool first) {
    const ExitStatus& status = death.status;
    entry.Detach(&worker);
    if (entry.ended || entry.attached()) {
        entry.deaths += first ? 1 : 0;
        return;  // another worker has it
    }
    bool begun = first && (entry.answering == &worker || worker.cut_off());
    if (!begun && entry.cancelled) {
        if (entry.in_queue) {
            queue_.Remove(&entry);
        }
        End(entry, JobEnd::kCancelled, "");
        return;
    }
    if (!first) {
        // Prefetched: it stood behind the one under which the worker died.
        if (!entry.in_queue) {
            Requeue(entry);
        }
        return;
    }
    if (!begun && MayReplay(entry, death.untouched)) {
        ++entry.deaths;
        if (!entry.in_queue) {
            Requeue(entry);
        }
        return;
    }
    if (entry.in_queue) {
        queue_.Remove(&entry);
    }
    std::string text = "worker " + std::to_string(worker.pid());
    text += status.signal != 0 ? " was killed by signal " + std::to_string(status.signal)
                               : " exited with code " + std::to_string(status.code);
    text += !begun            ? " before it answered"
            : entry.job.event ? " before it was done with the event"
                              : " in the middle of its answer";
    End(entry, JobEnd::kWorkerDied, text);
}

// ---- view

// Tells the world how things stand.
void Pool::Beat() {
    uint32_t ready = 0;
    uint32_t working = 0;
    uint32_t invalid = 0;
    bool serves = false;
    for (const auto& worker : workers_) {
        bool takes = worker->serving() && !worker->parked;
        serves = serves || takes;
        if (worker->state() == WorkerState::kInvalid) {
            ++invalid;
        } else if (takes) {
            ++(worker->busy() ? working : ready);
        }
    }
    bool able = cfg_.debug ? boot_error_.empty() : serves && !StandsStill();
    constexpr auto kRelaxed = std::memory_order_relaxed;
    pulse_.total.store(static_cast<uint32_t>(workers_.size()), kRelaxed);
    pulse_.ready.store(ready, kRelaxed);
    pulse_.working.store(working, kRelaxed);
    pulse_.invalid.store(invalid, kRelaxed);
    pulse_.queued.store(static_cast<uint32_t>(queue_.size()), kRelaxed);
    pulse_.can_serve.store(able && !closing_ && !QueueFull(), kRelaxed);
    pulse_.resetting.store(resetting_, kRelaxed);
    pulse_.debug.store(cfg_.debug, kRelaxed);
    pulse_.boot_failed.store(!boot_error_.empty(), kRelaxed);
}

GroupStatus Pool::Status() const {
    GroupStatus status;
    for (const auto& worker : workers_) {
        status.workers.push_back(worker->Info());
    }
    status.queued = queue_.size();
    status.generation = generation_;
    status.resetting = resetting_;
    status.debug = cfg_.debug;
    status.boot_error = boot_error_;
    return status;
}

}  // namespace rr::pool
