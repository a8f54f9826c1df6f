#include "plugins/hooks/background.hpp"

#include <chrono>
#include <memory>

namespace rr::hooks {

bool Background::Admit() {
    if (stopped_.load(std::memory_order_relaxed)) {
        return false;
    }
    if (at_once_.fetch_add(1) < kAtOnce) {
        return true;
    }
    at_once_.fetch_sub(1);
    dropped_.fetch_add(1);
    if (!reporting_.exchange(true)) {
        main_.Post([this] { ReportDropped(); });
    }
    return false;
}

void Background::Start(Event event, const Hook& hook, Variables variables) {
    main_.Post([this, event, &hook, variables = std::move(variables)]() mutable {
        if (stopped_.load()) {
            return;
        }
        runner_.Run(event, hook, std::move(variables), Duration::max(),
                    [this, &hook](Result<void> result) { OnFinished(hook, std::move(result)); });
    });
}

void Background::OnFinished(const Hook& hook, Result<void> result) {
    at_once_.fetch_sub(1);
    if (result) {
        return;
    }
    if (hook.stop_on_failure) {
        fatal_(std::move(result.error()));
        return;
    }
    log_.Warn("hook failed", {{"error", result.error().message}});
}

void Background::ReportDropped() {
    const uint64_t count = dropped_.exchange(0);
    if (count > 0) {
        log_.Warn("hooks were dropped, too many are running",
                  {{"count", count}, {"at_once", kAtOnce}});
        report_.Arm(std::chrono::seconds(1));
        return;
    }
    reporting_.store(false);
    if (dropped_.load() > 0 && !reporting_.exchange(true)) {  // came in between
        report_.Arm(std::chrono::seconds(1));
    }
}

}  // namespace rr::hooks
