// Timer: one alarm on a loop, armed as often as needed.
//
// Thread: its loop. Owns: the uv timer, which outlives the object until libuv let go of it.
#pragma once

#include "core/base/loop.hpp"

namespace rr::net {

class Timer final : private LoopBound {
public:
    Timer(Loop& loop, Callback<void()> fired);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Fires once after `delay` (milliseconds are the resolution, rounded up); re-arming replaces.
    void Arm(Duration delay);
    // Fires every `period` from now on.
    void Repeat(Duration period);
    void Disarm();
    bool armed() const;

private:
    struct Handle;
    Handle* handle_;  // freed by libuv's close callback
};

}  // namespace rr::net
