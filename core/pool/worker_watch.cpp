// What requests cost a worker, and which of them take long; see PoolConfig::Watch.
#include <utility>

#include "core/pool/process_stat.hpp"
#include "core/pool/worker.hpp"

namespace rr::pool {

// A request begins. One timer serves all of them: it is left running from one to the next, and looks
// at the real start when it fires.
void Worker::Watch() {
    run_begun_ = started_;
    slow_told_ = false;
    Duration limit = settings_.config->watch.slow_after;
    if (limit <= Duration::zero()) {
        return;
    }
    if (!slow_timer_) {
        slow_timer_ = std::make_unique<net::Timer>(loop_, [this] { OnSlowTimer(); });
    }
    if (!slow_timer_->armed()) {
        slow_timer_->Arm(limit);
    }
}

void Worker::OnSlowTimer() {
    if (open_count_ == 0 || slow_told_ || killed_ || exited_) {
        return;
    }
    Duration limit = settings_.config->watch.slow_after;
    Duration run = Clock::now() - run_begun_;
    if (run < limit) {
        slow_timer_->Arm(limit - run);
        return;
    }
    if (Entry* entry = open_[0].entry) {
        TellSlow(*entry, Doing());
    }
}

void Worker::TellSlow(Entry& entry, Bytes doing) {
    slow_told_ = true;
    entry.sink->OnSlow(Report(entry), doing);
}

void Worker::TellUsage(Entry& entry) {
    const PoolConfig::Watch& watch = settings_.config->watch;
    if (!meter_ || (!slow_told_ && !watch.cpu && !watch.memory)) {
        return;
    }
    JobReport report = Report(entry);
    if (exited_) {
        report.cpu = meter_->CpuOf(exit_.cpu);
        report.peak_memory = watch.memory ? exit_.peak_memory : 0;
    } else {
        report.peak_memory = meter_->PeakMemory();
        report.memory = slow_told_ ? ReadProcessStat(pid_).resident_bytes : 0;
    }
    entry.sink->OnMeasured(report);
}

JobReport Worker::Report(const Entry& entry) const {
    JobReport report;
    report.pool = *settings_.pool_name;
    report.pid = pid_;
    report.queued = run_begun_ - entry.since;
    report.run = Clock::now() - run_begun_;
    report.cpu = meter_->Cpu();
    return report;
}

// Its pipe is full because nobody takes the answer: that is not the worker's doing.
std::string Worker::Doing() const {
    std::string text = DescribeActivity(pid_, *settings_.search);
    if (channel_->paused()) {
        text += "; the client reads its answer too slowly";
    }
    return text;
}

}  // namespace rr::pool
