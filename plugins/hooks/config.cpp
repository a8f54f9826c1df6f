#include "plugins/hooks/config.hpp"

#include <algorithm>
#include <utility>

#include "core/config/nearest.hpp"
#include "core/config/section.hpp"

namespace rr::hooks {
namespace {

constexpr std::array<std::string_view, kEvents> kNames = {
    "server_starting", "server_started",   "server_stopping",   "worker_spawned",
    "worker_ready",    "worker_stopped",   "worker_exited",     "worker_failed",
    "worker_recycled", "reset_begun",      "reset_done",        "reset_failed",
    "request_begun",   "request_finished", "connection_opened", "connection_closed"};

constexpr std::array<std::string_view, 5> kGroups = {"server", "worker", "reset", "request",
                                                     "connection"};

Hook ParseHook(const config::Section& section) {
    Hook hook;
    hook.command = section.Command("command");
    if (hook.command.empty()) {
        section.Problem("command", "missing");
    }
    hook.timeout = section.Time("timeout", hook.timeout, std::chrono::milliseconds(1));
    hook.stop_on_failure = section.OneOf("fail", "ignore", {"ignore", "stop"}) == "stop";
    return hook;
}

void Add(HooksConfig& config, std::string name, const config::Section& section) {
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
    const auto known = std::find(kNames.begin(), kNames.end(), name);
    if (known == kNames.end()) {
        std::string text = "unknown event";
        const auto near =
            config::Nearest(name, std::vector<std::string_view>(kNames.begin(), kNames.end()));
        if (!near.empty()) {
            text.append("; did you mean ").append(near).append("?");
        }
        section.Problem("", text);
        return;
    }
    auto& hook = config.hooks[static_cast<size_t>(known - kNames.begin())];
    if (hook) {
        section.Problem("", "this event has a command already");
        return;
    }
    hook = ParseHook(section);
}

}  // namespace

std::string_view NameOf(Event event) { return kNames[static_cast<size_t>(event)]; }

bool HooksConfig::empty() const {
    return std::none_of(hooks.begin(), hooks.end(), [](const auto& hook) { return hook; });
}

HooksConfig ParseHooksConfig(const config::Section& section) {
    HooksConfig config;
    for (const auto& [name, child] : section.Children()) {
        // `worker.failed` in the file arrives as `failed` inside of `worker`.
        if (std::find(kGroups.begin(), kGroups.end(), name) == kGroups.end()) {
            Add(config, name, child);
            continue;
        }
        for (const auto& [inner_name, inner] : child.Children()) {
            Add(config, name + "_" + inner_name, inner);
        }
    }
    return config;
}

}  // namespace rr::hooks
