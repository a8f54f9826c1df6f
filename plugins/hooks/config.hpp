// HooksConfig: the `hooks` section: a command per event.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {
class Section;
}

namespace rr::hooks {

enum class Event : uint8_t {
    kServerStarting,
    kServerStarted,
    kServerStopping,
    kWorkerSpawned,
    kWorkerReady,
    kWorkerStopped,
    kWorkerExited,
    kWorkerFailed,
    kWorkerRecycled,
    kResetBegun,
    kResetDone,
    kResetFailed,
    kRequestBegun,
    kRequestFinished,
    kConnectionOpened,
    kConnectionClosed,
};
inline constexpr size_t kEvents = 16;

// As in the configuration and in RR_EVENT: `worker_failed`.
std::string_view NameOf(Event event);

struct Hook {
    std::vector<std::string> command;             // required
    Duration timeout = std::chrono::seconds(30);  // then the whole process group is killed
    bool stop_on_failure = false;                 // `fail: stop`
};

struct HooksConfig {
    std::array<std::optional<Hook>, kEvents> hooks;

    const Hook* Of(Event event) const {
        const auto& hook = hooks[static_cast<size_t>(event)];
        return hook ? &*hook : nullptr;
    }
    bool empty() const;
};

HooksConfig ParseHooksConfig(const config::Section& section);

}  // namespace rr::hooks
