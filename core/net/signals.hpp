// Signals: what the operating system and its users want from the server, as loop events.
//
// Thread: its loop. Owns: the signal watches; with the object the default actions come back.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/loop.hpp"

namespace rr::net {

enum class Signal : uint8_t { kInterrupt, kTerminate, kQuit, kAbort, kHangup, kUser1, kUser2 };
inline constexpr size_t kSignals = 7;

// Holds these signals back until a Signals object exists: without one most of them would end the
// process. For the time before the loop runs, and across an exec, which keeps what is held.
void HoldSignals();

class Signals final : private LoopBound {
public:
    // `caught` is called for each of the signals above, those that were held included.
    Signals(Loop& loop, Callback<void(Signal)> caught);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    struct Handle;
    Callback<void(Signal)> caught_;
    std::array<Handle*, kSignals> handles_{};  // freed by libuv's close callback
};

}  // namespace rr::net
