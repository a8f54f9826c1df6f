// Closing: running jobs finish, idle workers leave, the deadline ends what is left. See
// pool_impl.hpp for the other parts.
#include <utility>

#include "core/pool/pool_impl.hpp"

namespace rr::pool {

void Pool::Close(Deadline deadline, Callback<void()> closed) {
    AssertInLoop();
    closing_ = true;
    close_deadline_ = deadline;
    closed_ = std::move(closed);
    watch_timer_.Disarm();
    shrink_timer_.Disarm();
    boot_timer_.Disarm();
    if (resetting_) {
        EndReset(Fail(Errc::kClosed, "the server is stopping"));
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
        Worker& worker = *workers_[i];
        if (worker.booting() && queue_.empty()) {
            worker.Kill(Leave::kClosing);
        } else if (worker.serving() && !worker.busy()) {
            Retire(worker, Leave::kClosing);
        }
    }
    loop_.Post([this] { CheckClosed(); });
}

void Pool::CheckClosed() {
    if (!closing_ || closed_called_) {
        return;
    }
    Duration left = close_deadline_ - Clock::now();
    if (left > Duration::zero()) {
        close_timer_.Arm(left);
    } else {
        while (!queue_.empty()) {
            Entry* entry = queue_.front();
            queue_.Remove(entry);
            if (!entry->attached()) {
                End(*entry, JobEnd::kClosed, "the server is stopping");
            }
        }
        for (auto& worker : workers_) {
            worker->Kill(Leave::kClosing);
        }
    }
    if (queue_.empty()) {
        for (auto& worker : workers_) {
            if (worker->booting()) {
                worker->Kill(Leave::kClosing);
            }
        }
    }
    if (workers_.empty() && resolving_ == 0) {
        closed_called_ = true;
        close_timer_.Disarm();
        while (!queue_.empty()) {
            Entry* entry = queue_.front();
            queue_.Remove(entry);
            End(*entry, JobEnd::kClosed, "the server is stopping");
        }
        closed_();
    }
}

}  // namespace rr::pool
