// Entry: a job on its way through the pool: queued, open on one worker (two while a prefetched
// request is tried elsewhere), answered, ended.
//
// Thread: the pool's loop. Owned by the pool and recycled: no allocation per job when warm.
#pragma once

#include <array>
#include <cstdint>
#include <string>

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

    void PushBack(Entry* e) {
        e->previous = last_;
        e->next = nullptr;
        (last_ != nullptr ? last_->next : first_) = e;
        last_ = e;
        e->in_queue = true;
        ++size_;
    }
    void PushFront(Entry* e) {
        e->previous = nullptr;
        e->next = first_;
        (first_ != nullptr ? first_->previous : last_) = e;
        first_ = e;
        e->in_queue = true;
        ++size_;
    }
    void Remove(Entry* e) {
        (e->previous != nullptr ? e->previous->next : first_) = e->next;
        (e->next != nullptr ? e->next->previous : last_) = e->previous;
        e->previous = e->next = nullptr;
        e->in_queue = false;
        --size_;
    }

private:
    Entry* first_ = nullptr;
    Entry* last_ = nullptr;
    size_t size_ = 0;
};

}  // namespace rr::pool
