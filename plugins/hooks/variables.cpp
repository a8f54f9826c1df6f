#include "plugins/hooks/variables.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace rr::hooks {
namespace {

constexpr size_t kLongest = 8 * 1024;

void Add(Variables& variables, std::string_view name, std::string_view value) {
    if (value.empty()) {
        return;
    }
    std::string clean(value.substr(0, kLongest));
    std::replace(clean.begin(), clean.end(), '\0', ' ');
    variables.emplace_back(std::string("RR_EVENT_").append(name), std::move(clean));
}

void Add(Variables& variables, std::string_view name, int64_t value) {
    Add(variables, name, std::to_string(value));
}

template <class Phase>
Event After(Event first, Phase phase) {
    return static_cast<Event>(static_cast<uint8_t>(first) + static_cast<uint8_t>(phase));
}

}  // namespace

// The events of one group stand in the order of its phases.
Event KindOf(const ServerEvent& event) { return After(Event::kServerStarting, event.phase); }
Event KindOf(const WorkerEvent& event) { return After(Event::kWorkerSpawned, event.change); }
Event KindOf(const ResetEvent& event) { return After(Event::kResetBegun, event.phase); }
Event KindOf(const RequestEvent& event) { return After(Event::kRequestBegun, event.phase); }
Event KindOf(const ConnectionEvent& event) { return After(Event::kConnectionOpened, event.phase); }

Variables Describe(Event event) { return {{"RR_EVENT", std::string(NameOf(event))}}; }

Variables Describe(const ServerEvent& event) { return Describe(KindOf(event)); }

Variables Describe(const WorkerEvent& event) {
    Variables variables = Describe(KindOf(event));
    Add(variables, "POOL", event.pool);
    if (event.pid != 0) {
        Add(variables, "PID", event.pid);
    }
    if (event.exit_code >= 0) {
        Add(variables, "EXIT_CODE", event.exit_code);
    }
    if (event.signal != 0) {
        Add(variables, "SIGNAL", event.signal);
    }
    if (event.change != WorkerChange::kSpawned && event.change != WorkerChange::kFailed) {
        Add(variables, "EXECS", static_cast<int64_t>(event.execs));
    }
    Add(variables, "REASON", event.reason);
    Add(variables, "COMMAND", event.command);
    Add(variables, "OUTPUT", event.output);
    return variables;
}

Variables Describe(const ResetEvent& event) {
    Variables variables = Describe(KindOf(event));
    Add(variables, "POOL", event.pool);
    if (event.phase != ResetPhase::kBegun) {
        Add(variables, "ELAPSED_MS", event.elapsed_ns / 1000000);
    }
    Add(variables, "REASON", event.reason);
    return variables;
}

Variables Describe(const RequestEvent& event) {
    Variables variables = Describe(KindOf(event));
    Add(variables, "PLUGIN", event.plugin);
    Add(variables, "METHOD", event.method);
    Add(variables, "URI", event.uri);
    Add(variables, "REMOTE_ADDRESS", event.remote_address);
    if (event.phase == RequestPhase::kFinished) {
        Add(variables, "STATUS", event.status);
        Add(variables, "ELAPSED_MS", event.elapsed_ns / 1000000);
        Add(variables, "READ_BYTES", static_cast<int64_t>(event.read_bytes));
        Add(variables, "WRITE_BYTES", static_cast<int64_t>(event.write_bytes));
    }
    return variables;
}

Variables Describe(const ConnectionEvent& event) {
    Variables variables = Describe(KindOf(event));
    Add(variables, "PLUGIN", event.plugin);
    Add(variables, "REMOTE_ADDRESS", event.remote_address);
    return variables;
}

}  // namespace rr::hooks
