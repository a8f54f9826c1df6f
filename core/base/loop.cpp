#include "core/base/loop.hpp"

#include <signal.h>

#include <algorithm>

#include <uv.h>

namespace rr {

struct Loop::Handles {
    uv_async_t wakeup;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
};

Loop::Loop(std::string name) : name_(std::move(name)), uv_(new uv_loop_s), handles_(new Handles) {
    // A peer that is gone is an error code of a write, not a signal.
    signal(SIGPIPE, SIG_IGN);
    RR_CHECK(uv_loop_init(uv_.get()) == 0);
    uv_->data = this;
    handles_->wakeup.data = this;
    handles_->before_poll.data = this;
    handles_->after_poll.data = this;
    RR_CHECK(uv_async_init(uv_.get(), &handles_->wakeup,
                           [](uv_async_t* h) { static_cast<Loop*>(h->data)->Drain(); }) == 0);
    // Output is flushed after the poll phase, and before the next one for what timers wrote.
    uv_prepare_init(uv_.get(), &handles_->before_poll);
    uv_prepare_start(&handles_->before_poll,
                     [](uv_prepare_t* h) { static_cast<Loop*>(h->data)->FlushAll(); });
    uv_check_init(uv_.get(), &handles_->after_poll);
    uv_check_start(&handles_->after_poll,
                   [](uv_check_t* h) { static_cast<Loop*>(h->data)->FlushAll(); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->before_poll));
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->after_poll));
    thread_ = std::this_thread::get_id();
}

Loop::~Loop() {
    thread_ = std::this_thread::get_id();
    // What was posted or is closing may still own handles: let it finish before the wakeup dies.
    for (int turn = 0; turn < 64; ++turn) {
        Drain();
        uv_run(uv_.get(), UV_RUN_NOWAIT);
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->before_poll), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->after_poll), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->wakeup), nullptr);
    for (int turn = 0; turn < 1000 && uv_loop_close(uv_.get()) == UV_EBUSY; ++turn) {
        uv_run(uv_.get(), UV_RUN_NOWAIT);
    }
}

void Loop::Run() {
    thread_ = std::this_thread::get_id();
    uv_run(uv_.get(), UV_RUN_DEFAULT);
}

bool Loop::RunUntil(const Callback<bool()>& pred, Duration limit) {
    thread_ = std::this_thread::get_id();
    auto& holds = const_cast<Callback<bool()>&>(pred);
    Instant end = Clock::now() + limit;
    // A repeating timer bounds the sleep, so that the limit is noticed on a silent loop.
    uv_timer_t tick;
    uv_timer_init(uv_.get(), &tick);
    uv_timer_start(&tick, [](uv_timer_t*) {}, 10, 10);
    bool result = holds();
    while (!result && Clock::now() < end) {
        uv_run(uv_.get(), UV_RUN_ONCE);
        result = holds();
    }
    bool closed = false;
    tick.data = &closed;
    uv_close(reinterpret_cast<uv_handle_t*>(&tick),
             [](uv_handle_t* h) { *static_cast<bool*>(h->data) = true; });
    while (!closed) {
        uv_run(uv_.get(), UV_RUN_NOWAIT);
    }
    return result;
}

void Loop::Stop() {
    Post([this] { uv_stop(uv_.get()); });
}

void Loop::Post(Callback<void()> fn) {
    bool was_empty;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        was_empty = inbox_.empty();
        inbox_.push_back(std::move(fn));
    }
    if (was_empty) {
        uv_async_send(&handles_->wakeup);
    }
}

void Loop::Drain() {
    RR_ASSERT(running_.empty());
    {
        std::lock_guard<std::mutex> lock(mutex_);
        running_.swap(inbox_);
    }
    for (auto& fn : running_) {
        fn();
        fn = nullptr;  // captures die now, not after the last callback
    }
    running_.clear();
}

void Loop::Offload(Callback<void()> work, Callback<void()> done) {
    struct Job {
        uv_work_t request;
        Callback<void()> work;
        Callback<void()> done;
    };
    auto* job = new Job{{}, std::move(work), std::move(done)};
    job->request.data = job;
    RR_CHECK(uv_queue_work(
                 uv_.get(), &job->request, [](uv_work_t* r) { static_cast<Job*>(r->data)->work(); },
                 [](uv_work_t* r, int) {
                     std::unique_ptr<Job> finished(static_cast<Job*>(r->data));
                     finished->done();
                 }) == 0);
}

Instant Loop::Now() const { return Instant(std::chrono::milliseconds(uv_now(uv_.get()))); }

int64_t Loop::NowMilliseconds() const { return static_cast<int64_t>(uv_now(uv_.get())); }

void Loop::AtNextTurnEnd(Flushable& object) {
    if (object.awaits_next_turn_) {
        return;
    }
    object.awaits_next_turn_ = true;
    next_.push_back(&object);
    if (next_.size() == 1) {
        uv_async_send(&handles_->wakeup);  // or the loop would sleep before it
    }
}

void Loop::FlushAll() {
    for (Flushable* object : next_) {
        if (object != nullptr) {
            object->awaits_next_turn_ = false;
            AtTurnEnd(*object);
        }
    }
    next_.clear();
    while (!flush_.empty()) {
        flushing_.swap(flush_);
        for (Flushable*& object : flushing_) {
            if (object != nullptr) {
                object->awaits_turn_end_ = false;
                object->OnTurnEnd();
            }
        }
        flushing_.clear();
    }
}

void Loop::ForgetTurnEnd(Flushable& object) {
    // It may be in either list: a flush can destroy an object whose turn is still to come.
    object.awaits_turn_end_ = false;
    object.awaits_next_turn_ = false;
    std::replace(next_.begin(), next_.end(), &object, static_cast<Flushable*>(nullptr));
    std::replace(flush_.begin(), flush_.end(), &object, static_cast<Flushable*>(nullptr));
    std::replace(flushing_.begin(), flushing_.end(), &object, static_cast<Flushable*>(nullptr));
}

}  // namespace rr
