// Background: hands events from any thread to the Runner, a bounded number of them at once.
//
// At most 16 commands run or wait to be started; what comes on top is dropped, and a warning says
// once a second how many were.
//
// Thread: Run from any; the rest on the main loop.
// Owns:   the count. Borrows the runner.
// Fails:  a failing command is a warning, or with `fail: stop` a call of `fatal`.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "plugins/hooks/runner.hpp"

namespace rr::hooks {

class Background {
public:
    static constexpr int kAtOnce = 16;

    Background(Loop& main, Runner& runner, log::Logger log, Callback<void(Error)> fatal)
        : main_(main), runner_(runner), log_(log), fatal_(std::move(fatal)), report_(main, [this] {
              ReportDropped();
          }) {}

    // describe() gives the variables; not asked if the event is dropped.
    // REQUIRES: hook outlives this.
    template <class Describe>
    void Run(Event event, const Hook& hook, Describe describe) {
        if (Admit()) {
            Start(event, hook, describe());
        }
    }

    // From here on events are ignored.
    void Stop() { stopped_.store(true); }

private:
    bool Admit();
    void Start(Event event, const Hook& hook, Variables variables);
    void OnFinished(const Hook& hook, Result<void> result);
    void ReportDropped();

    Loop& main_;
    Runner& runner_;
    const log::Logger log_;
    Callback<void(Error)> fatal_;
    net::Timer report_;  // armed for a second after each report
    std::atomic<int> at_once_{0};
    std::atomic<uint64_t> dropped_{0};    // since the last report
    std::atomic<bool> reporting_{false};  // a report is on its way or was made within a second
    std::atomic<bool> stopped_{false};
};

}  // namespace rr::hooks
