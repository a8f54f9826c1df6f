// Loop: one libuv loop, its thread, and the only way into it from other threads.
//
// Thread: every method belongs to the loop's thread, but for Post() and Stop(), which anyone may
//         call. The thread that calls Run() becomes the loop's thread.
// Owns:   the uv loop, the mailbox of posted callbacks, the list of objects to flush.
// Fails:  never; out of descriptors at construction aborts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/check.hpp"
#include "core/base/time.hpp"

struct uv_loop_s;

namespace rr {

// Flushable: an object that collects output and wants one call at the end of the loop's turn.
class Flushable {
public:
    virtual void OnTurnEnd() = 0;

protected:
    virtual ~Flushable() = default;

private:
    friend class Loop;
    bool awaits_turn_end_ = false;
    bool awaits_next_turn_ = false;
};

class Loop final {
public:
    explicit Loop(std::string name);
    ~Loop();  // closes what is left and runs until every handle is gone
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs until Stop().
    void Run();

    // Runs until pred() holds or limit passed; true if it holds. For tests and for start-up.
    bool RunUntil(const Callback<bool()>& pred, Duration limit = std::chrono::seconds(30));

    // Ends Run() after the current turn. Any thread.
    void Stop();

    // Hands a callback to the loop's thread; it runs in posting order, never inside this call.
    // Any thread. After the loop was destroyed no call is valid.
    void Post(Callback<void()> fn);

    // Runs work on a helper thread, then done on this loop.
    void Offload(Callback<void()> work, Callback<void()> done);

    // Time at the start of this turn: cheap, and good enough for limits in milliseconds.
    Instant Now() const;
    int64_t NowMilliseconds() const;

    // Calls object.OnTurnEnd() once before the loop sleeps again.
    void AtTurnEnd(Flushable& object) {
        if (!object.awaits_turn_end_) {
            object.awaits_turn_end_ = true;
            flush_.push_back(&object);
        }
    }
    // The same at the end of the turn after this one: for work that could go on for ever, so that
    // the others have theirs in between.
    void AtNextTurnEnd(Flushable& object);
    // REQUIRES before such an object dies.
    void ForgetTurnEnd(Flushable& object);

    bool InLoop() const {
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }
    const std::string& name() const { return name_; }

    // For core/net only.
    uv_loop_s* raw() { return uv_.get(); }

private:
    struct Handles;
    void Drain();
    void FlushAll();

    const std::string name_;
    std::unique_ptr<uv_loop_s> uv_;
    std::unique_ptr<Handles> handles_;
    std::vector<Flushable*> flush_;
    std::vector<Flushable*> flushing_;
    std::vector<Flushable*> next_;
    std::vector<Callback<void()>> running_;
    std::atomic<std::thread::id> thread_{};

    std::mutex mutex_;  // guards inbox_; the one lock a request may meet, once per hop
    std::vector<Callback<void()>> inbox_;
};

// LoopBound: base of classes that live on one loop. Debug builds check the thread.
class LoopBound {
public:
    Loop& loop() const { return loop_; }

protected:
    explicit LoopBound(Loop& loop) : loop_(loop) {}
    ~LoopBound() = default;
    void AssertInLoop() const { RR_ASSERT(loop_.InLoop()); }

    Loop& loop_;  // constant after construction
};

}  // namespace rr
