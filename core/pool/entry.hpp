// Entry: a job on its way through the pool: queued, open on one worker (two while a prefetched
// request is tried elsewhere), answered, ended.
//
// Thread: the pool's loop. Owned by the pool and recycled: no allocation per job when warm.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/pool/job.hpp"

namespace rr::pool {

class Worker;

struct Entry {
    uint64_t id = 0;
    Job job;
    JobSink* sink = nullptr;
    Instant since;                // when Exec was called
    std::array<Worker*, 2> on{};  // workers that hold it
    Worker* answering = nullptr;  // the one whose answer counts
    uint8_t deaths = 0;           // workers that died under it
    uint8_t handed_back = 0;      // workers that asked to be replaced instead of answering
    uint32_t lane = 0;            // where it waits: 0 for any worker, else its slot's number + 1
    bool in_queue = false;
    bool cancelled = false;
    bool streaming = false;
    bool ended = false;

    Entry* previous = nullptr;  // in the queue
    Entry* next = nullptr;

    JobEnd end = JobEnd::kDone;  // of an end that is reported later
    std::string message;

    void Attach(Worker* w) { (on[0] == nullptr ? on[0] : on[1]) = w; }
    void Detach(const Worker* w) {
        for (Worker*& one : on) {
            if (one == w) {
                one = nullptr;
            }
        }
    }
    bool attached() const { return on[0] != nullptr || on[1] != nullptr; }
};

// EntryQueue: first in, first out, with removal from the middle and return to the front.
class EntryQueue {
public:
    bool empty() const { return first_ == nullptr; }
    size_t size() const { return size_; }
    Entry* front() const { return first_; }
    // The first that allocate_timeout is for.
    Entry* first_hurried() const {
        Entry* e = hurried_ > 0 ? first_ : nullptr;
        while (e != nullptr && e->job.patient) {
            e = e->next;
        }
        return e;
    }

    void PushBack(Entry* e) {
        e->previous = last_;
        e->next = nullptr;
        (last_ != nullptr ? last_->next : first_) = e;
        last_ = e;
        Count(e);
    }
    void PushFront(Entry* e) {
        e->previous = nullptr;
        e->next = first_;
        (first_ != nullptr ? first_->previous : last_) = e;
        first_ = e;
        Count(e);
    }
    void Remove(Entry* e) {
        (e->previous != nullptr ? e->previous->next : first_) = e->next;
        (e->next != nullptr ? e->next->previous : last_) = e->previous;
        e->previous = e->next = nullptr;
        e->in_queue = false;
        --size_;
        hurried_ -= e->job.patient ? 0 : 1;
    }

private:
    void Count(Entry* e) {
        e->in_queue = true;
        ++size_;
        hurried_ += e->job.patient ? 0 : 1;
    }

    Entry* first_ = nullptr;
    Entry* last_ = nullptr;
    size_t size_ = 0;
    size_t hurried_ = 0;  // those that are not patient
};

// WaitingRoom: everybody who waits. Those with an affinity stand in the lane of their slot.
class WaitingRoom {
public:
    bool empty() const { return size() == 0; }
    size_t size() const { return open_.size() + bound_; }
    size_t bound() const { return bound_; }  // with an affinity

    // Those that any worker may take.
    EntryQueue& open() { return open_; }
    const EntryQueue& open() const { return open_; }
    EntryQueue& lane(size_t slot) { return lanes_[slot]; }
    // Where an entry would wait.
    EntryQueue& Behind(const Entry& e) { return e.lane == 0 ? open_ : lanes_[e.lane - 1]; }
    void SetSlots(size_t count) { lanes_.resize(count); }
    // Somebody, while anybody waits.
    Entry* front() const {
        return open_.front() != nullptr || bound_ == 0
                   ? open_.front()
                   : Earliest([](const EntryQueue& lane) { return lane.front(); });
    }
    // Who will have waited for allocate_timeout first.
    Entry* first_hurried() const {
        return bound_ == 0 ? open_.first_hurried()
                           : Earliest([](const EntryQueue& lane) { return lane.first_hurried(); });
    }

    void PushBack(Entry* e) {
        bound_ += e->lane == 0 ? 0 : 1;
        Behind(*e).PushBack(e);
    }
    void PushFront(Entry* e) {
        bound_ += e->lane == 0 ? 0 : 1;
        Behind(*e).PushFront(e);
    }
    void Remove(Entry* e) {
        bound_ -= e->lane == 0 ? 0 : 1;
        Behind(*e).Remove(e);
    }

private:
    template <class Pick>
    Entry* Earliest(Pick pick) const {
        Entry* first = pick(open_);
        for (const EntryQueue& lane : lanes_) {
            Entry* e = pick(lane);
            if (e != nullptr && (first == nullptr || e->since < first->since)) {
                first = e;
            }
        }
        return first;
    }

    EntryQueue open_;
    std::vector<EntryQueue> lanes_;  // from the first affinity on
    size_t bound_ = 0;
};

}  // namespace rr::pool
