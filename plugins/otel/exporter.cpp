#include "plugins/otel/exporter.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace rr::otel {
namespace {

constexpr Duration kTellAgain = std::chrono::minutes(1);
constexpr Duration kLongestDelivery = std::chrono::hours(1);  // the sink has its own limit

}  // namespace

// One delivery; lives as long as the helper thread is at it.
struct Exporter::Job {
    std::shared_ptr<Sink> sink;
    Batch batch;
    Deadline deadline;
    std::atomic<bool> stop{false};
    Delivery delivery;
};

Exporter::Exporter(Loop& main, log::Logger log, std::shared_ptr<Sink> sink, Budget& budget,
                   Used used, Pace pace)
    : LoopBound(main),
      log_(std::move(log)),
      sink_(std::move(sink)),
      budget_(budget),
      used_(std::move(used)),
      pace_(pace),
      again_(main, [this] { Next(); }),
      deadline_(main, [this] { GiveUp(); }),
      self_(std::make_shared<Exporter*>(this)) {}

Exporter::~Exporter() {
    *self_ = nullptr;
    if (job_) {
        job_->stop = true;
    }
}

void Exporter::Add(Batch batch) {
    AssertInLoop();
    waiting_.push_back(std::move(batch));
    if (!again_.armed()) {
        Next();
    }
    TellDropped();
}

void Exporter::Next() {
    if (job_) {
        return;
    }
    if (waiting_.empty()) {
        if (flushing_) {
            Finish();
        }
        return;
    }
    job_ = std::make_shared<Job>();
    job_->sink = sink_;
    job_->batch = std::move(waiting_.front());
    job_->deadline = Clock::now() + kLongestDelivery;
    waiting_.pop_front();
    if (tried_since_ == Instant{}) {
        tried_since_ = Clock::now();
    }
    loop_.Offload(
        [job = job_] { job->delivery = job->sink->Deliver(job->batch, job->deadline, job->stop); },
        [self = self_, job = job_] {
            if (*self != nullptr) {
                (*self)->OnDelivered(job);
            }
        });
}

void Exporter::OnDelivered(const std::shared_ptr<Job>& job) {
    if (job != job_) {
        return;  // given up
    }
    job_.reset();
    Batch batch = std::move(job->batch);
    if (job->delivery.kind == Delivery::Kind::kLater) {
        OnFailed(std::move(batch), job->delivery);
        return;
    }
    tried_since_ = {};
    if (job->delivery.kind == Delivery::Kind::kRefused) {
        Trouble(job->delivery.reason);
        Drop(std::move(batch));
    } else {
        Taken(batch, job->delivery);
        Release(std::move(batch));
    }
    Next();
}

void Exporter::Taken(const Batch& batch, Delivery& delivery) {
    pause_ = {};
    budget_.Export(batch.spans - delivery.rejected);
    if (delivery.rejected > 0) {
        budget_.Drop(delivery.rejected);
        Trouble("some were rejected: " + delivery.reason);
        return;
    }
    if (outage_) {
        outage_ = false;
        log_.Info("spans are exported again", {{"dropped", budget_.dropped() - told_}});
        told_ = budget_.dropped();
        told_at_ = Clock::now();
    }
}

void Exporter::OnFailed(Batch batch, Delivery& delivery) {
    Trouble(delivery.reason);
    if (flushing_) {
        Drop(std::move(batch));
        GiveUp();
        return;
    }
    if (Clock::now() - tried_since_ >= pace_.patience) {
        tried_since_ = {};
        Drop(std::move(batch));
    } else {
        waiting_.push_front(std::move(batch));
    }
    pause_ = pause_ == Duration{} ? pace_.first : std::min(pause_ * 2, pace_.longest);
    again_.Arm(std::clamp(delivery.pause, pause_, std::max(pause_, pace_.patience)));
}

void Exporter::Trouble(const std::string& reason) {
    if (!outage_) {
        outage_ = true;
        told_ = budget_.dropped();
        log_.Warn("spans are not exported", {{"error", reason}});
    }
}

// Outages tell at their end.
void Exporter::TellDropped() {
    const uint64_t dropped = budget_.dropped();
    if (outage_ || dropped == told_ || Clock::now() - told_at_ < kTellAgain) {
        return;
    }
    log_.Warn("spans were dropped: too many were waiting", {{"dropped", dropped - told_}});
    told_ = dropped;
    told_at_ = Clock::now();
}

void Exporter::Drop(Batch batch) {
    budget_.Drop(batch.spans);
    Release(std::move(batch));
}

void Exporter::Release(Batch batch) {
    budget_.Give(batch.spans);
    used_(std::move(batch));
}

void Exporter::Flush(Deadline deadline, Callback<void()> done) {
    AssertInLoop();
    flushing_ = true;
    flushed_ = std::move(done);
    again_.Disarm();
    deadline_.Arm(std::max(Duration::zero(), Duration(deadline - Clock::now())));
    loop_.Post([self = self_] {
        if (*self != nullptr) {
            (*self)->Next();
        }
    });
}

void Exporter::GiveUp() {
    if (job_) {
        job_->stop = true;
        budget_.Drop(job_->batch.spans);
        budget_.Give(job_->batch.spans);
        job_.reset();
    }
    while (!waiting_.empty()) {
        Batch batch = std::move(waiting_.front());
        waiting_.pop_front();
        Drop(std::move(batch));
    }
    Finish();
}

void Exporter::Finish() {
    deadline_.Disarm();
    if (budget_.dropped() > told_) {
        log_.Warn("spans were lost", {{"dropped", budget_.dropped() - told_}});
        told_ = budget_.dropped();
    }
    if (flushed_) {
        std::exchange(flushed_, nullptr)();
    }
}

}  // namespace rr::otel
