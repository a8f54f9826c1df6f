// WatchScreen: what `rr serve --watch` shows in the terminal, whatever the log does: why the workers do
// not start, once per edit, and that they do again.
//
// Thread: made and destroyed on main, while no data thread runs; events come from any.
// Owns:   what it has shown. Borrows the loop and the console.
#pragma once

#include <map>
#include <string>

#include "cmd/rr/console.hpp"
#include "core/api/events.hpp"
#include "core/base/loop.hpp"

namespace rr::cmd {

class WatchScreen {
public:
    WatchScreen(Loop& main, const Console& console, EventBus& events);

private:
    void OnWorker(const WorkerEvent& event);
    void OnReset(const ResetEvent& event);
    void ShowFailure(const std::string& pool, const std::string& text);
    void ShowServing(const std::string& pool, int64_t elapsed_ms);

    Loop& main_;
    const Console& console_;
    struct Shown {
        std::string text;
        bool again = false;  // a reset has begun since: the same is worth another line
    };
    std::map<std::string, Shown> shown_;  // by pool whose workers do not start; the main thread's
};

}  // namespace rr::cmd
