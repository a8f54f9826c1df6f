#include "core/net/timer.hpp"

#include <memory>

#include <uv.h>

namespace rr::net {

struct Timer::Handle {
    uv_timer_t timer;
    Callback<void()> fired;
    bool closing = false;
};

namespace {

uint64_t Milliseconds(Duration d) {
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(d).count();
    return ms < 0 ? 0 : static_cast<uint64_t>(ms);
}

}  // namespace

Timer::Timer(Loop& loop, Callback<void()> fired)
    : LoopBound(loop), handle_(new Handle{{}, std::move(fired)}) {
    uv_timer_init(loop.raw(), &handle_->timer);
    handle_->timer.data = handle_;
}

Timer::~Timer() {
    handle_->closing = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->timer),
             [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
}

void Timer::Arm(Duration delay) {
    // libuv counts from the start of the turn, which may lie behind us.
    uv_update_time(loop_.raw());
    uv_timer_start(
        &handle_->timer,
        [](uv_timer_t* t) noexcept {
            auto* handle = static_cast<Handle*>(t->data);
            if (!handle->closing) {
                handle->fired();
            }
        },
        Milliseconds(delay), 0);
}

void Timer::Repeat(Duration period) {
    uint64_t ms = Milliseconds(period);
    uv_timer_start(
        &handle_->timer,
        [](uv_timer_t* t) noexcept {
            auto* handle = static_cast<Handle*>(t->data);
            if (!handle->closing) {
                handle->fired();
            }
        },
        ms, ms == 0 ? 1 : ms);
}

void Timer::Disarm() { uv_timer_stop(&handle_->timer); }

bool Timer::armed() const {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->timer)) != 0;
}

}  // namespace rr::net
