// Affinity: jobs of one number go to one worker. See pool_impl.hpp for the other parts.
//
// There are num_workers slots, whatever AddWorker and RemoveWorker do, so that a number keeps its
// slot. A slot is held by a worker that serves; its jobs wait for that one even if others are idle.
// When it leaves, a worker without a slot takes its place; only where none is and none comes, any
// worker runs the jobs. Who holds a slot is looked up when it matters.
#include <algorithm>

#include "core/pool/pool_impl.hpp"

namespace rr::pool {

uint32_t Pool::LaneOf(uint64_t affinity) {
    if (slots_.empty()) {
        slots_.resize(std::max<size_t>(cfg_.num_workers, 1));
        queue_.SetSlots(slots_.size());
    }
    return static_cast<uint32_t>(affinity % slots_.size()) + 1;
}

// It will go on taking jobs.
bool Pool::MayHold(const Worker& worker) const {
    return worker.serving() && !worker.parked && worker.generation() >= generation_ &&
           !MustLeave(worker);
}

bool Pool::Holds(const Worker& worker) const {
    return std::find(slots_.begin(), slots_.end(), &worker) != slots_.end();
}

// The worker of a slot, a new one if need be; null if there is none.
Worker* Pool::Holder(size_t slot) {
    Worker*& holder = slots_[slot];
    if (holder != nullptr && MayHold(*holder)) {
        return holder;
    }
    holder = nullptr;
    auto fits = [this](const Worker& worker) { return MayHold(worker) && !Holds(worker); };
    auto idle = std::find_if(idle_.rbegin(), idle_.rend(), [&](Worker* w) { return fits(*w); });
    if (idle != idle_.rend()) {
        holder = *idle;
        return holder;
    }
    for (auto& worker : workers_) {  // one that is free just now, else any
        if (fits(*worker) && (holder == nullptr || !worker->busy())) {
            holder = worker.get();
            if (!holder->busy()) {
                break;
            }
        }
    }
    return holder;
}

bool Pool::SuccessorComing() const {
    if (closing_) {
        return false;
    }
    return Healthy() < target_ + extras_ ||
           std::any_of(
               workers_.begin(), workers_.end(),
               [this](const auto& w) {
                   return w->booting() && w->doomed == Leave::kNo && w->generation() >= generation_;
               });
}

// False: the job has to wait.
bool Pool::TryHolder(Entry& entry) {
    Worker* holder = Holder(entry.lane - 1);
    if (holder == nullptr) {
        return !SuccessorComing() && queue_.open().empty() && TryIdle(entry);
    }
    if (!holder->in_idle) {
        return false;
    }
    RemoveIdle(*holder);
    return Hand(*holder, entry);
}

// The job that a free worker shall run: of all that it may run, the one that waits longest.
Entry* Pool::NextFor(const Worker& worker) {
    Entry* next = queue_.open().front();
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
        Entry* entry = queue_.lane(slot).front();
        if (entry == nullptr || (next != nullptr && next->since <= entry->since)) {
            continue;
        }
        Worker* holder = Holder(slot);
        if (holder == &worker || (holder == nullptr && !SuccessorComing())) {
            next = entry;
        }
    }
    return next;
}

// Jobs whose slot has got another worker, or none for good.
void Pool::FeedBound() {
    for (size_t slot = 0; slot < slots_.size() && !idle_.empty(); ++slot) {
        EntryQueue& lane = queue_.lane(slot);
        while (Entry* entry = lane.front()) {
            queue_.Remove(entry);
            if (!TryHolder(*entry)) {
                queue_.PushFront(entry);
                break;
            }
            Changed();
        }
    }
}

void Pool::LeaveSlot(const Worker& worker) {
    std::replace(slots_.begin(), slots_.end(), const_cast<Worker*>(&worker),
                 static_cast<Worker*>(nullptr));
}

}  // namespace rr::pool
