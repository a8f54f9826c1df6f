// Exporter: brings batches to the sink, one after the other, on helper threads; again while the sink
// cannot take them, with pauses that grow. What is a minute old by then is dropped, so that those that
// wait are fresh when the collector is back.
//
// Thread: main. LoopBound.
// Owns:   batches that wait. Shares the sink with the delivery that runs. Borrows the budget.
// Fails:  never; what was not taken is counted, and said in the log once for each outage.
#pragma once

#include <deque>
#include <memory>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "plugins/otel/budget.hpp"
#include "plugins/otel/recording.hpp"
#include "plugins/otel/sinks.hpp"

namespace rr::otel {

class Exporter final : private LoopBound {
public:
    struct Pace {
        Duration first = std::chrono::seconds(1);  // pause after a failure, doubled by each
        Duration longest = std::chrono::seconds(30);
        Duration patience = std::chrono::minutes(1);  // with one batch
    };
    using Used = Callback<void(Batch)>;

    // used: gets every batch when it is done with.
    Exporter(Loop& main, log::Logger log, std::shared_ptr<Sink> sink, Budget& budget, Used used,
             Pace pace);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    // batch: with a place in the budget for each of its spans.
    void Add(Batch batch);

    // Delivers what waits without pauses; the first failure, and the deadline, end that. done: once,
    // never inside the call. Add is not called any more.
    void Flush(Deadline deadline, Callback<void()> done);

private:
    struct Job;

    void Next();
    void OnDelivered(const std::shared_ptr<Job>& job);
    void OnFailed(Batch batch, Delivery& delivery);
    void Taken(const Batch& batch, Delivery& delivery);
    void Trouble(const std::string& reason);
    void Drop(Batch batch);
    void Release(Batch batch);
    void TellDropped();
    void GiveUp();
    void Finish();

    const log::Logger log_;
    const std::shared_ptr<Sink> sink_;
    Budget& budget_;
    Used used_;
    const Pace pace_;

    std::deque<Batch> waiting_;
    std::shared_ptr<Job> job_;  // null: nothing is under way
    Instant tried_since_{};     // the first one waiting; zero: not at all
    Duration pause_{};
    net::Timer again_;

    bool outage_ = false;
    uint64_t told_ = 0;  // dropped spans that the log knows of
    Instant told_at_{};

    bool flushing_ = false;
    Callback<void()> flushed_;
    net::Timer deadline_;
    std::shared_ptr<Exporter*> self_;  // null in deliveries that end after us
};

}  // namespace rr::otel
