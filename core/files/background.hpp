// Background: where what takes long is done, so that a loop is not held up by it.
#pragma once

#include "core/base/callback.hpp"

namespace rr::files {

class Background {
public:
    virtual ~Background() = default;
    // Runs work once, here or on another thread. Thread: any.
    virtual void Run(Callback<void()> work) = 0;
};

// At once: for tests, and for threads without a loop.
class Foreground final : public Background {
public:
    void Run(Callback<void()> work) override { work(); }
};

}  // namespace rr::files
