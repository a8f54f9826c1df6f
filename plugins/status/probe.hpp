// Probe: what /health, /ready and /jobs answer. It reads the pulses of the worker groups, which are
// atomics: no answer ever waits for a pool.
//
// Thread: main.
// Owns:   nothing; borrows the groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/api/worker_group.hpp"
#include "core/web/request.hpp"
#include "plugins/status/config.hpp"

namespace rr::status {

enum class Question : uint8_t { kHealth, kReady };

class Probe {
public:
    // groups: those without a pulse, or not vital, are left out: they say nothing about health.
    Probe(StatusConfig config, const std::vector<WorkerGroup*>& groups);

    web::Answer Answer(const web::Request& request, bool draining) const;

    // Of one plugin, all of its groups; nothing if there is no such plugin.
    std::optional<bool> Ask(Question question, std::string_view plugin) const;

private:
    struct Group {
        std::string_view name;
        const GroupPulse* pulse;
    };

    bool Says(Question question, const GroupPulse& pulse) const;
    web::Answer Report(Question question, std::string_view query) const;
    web::Answer Draining(bool healthy) const;
    web::Answer EveryPath(bool draining) const;

    const StatusConfig config_;
    std::vector<Group> groups_;
};

}  // namespace rr::status
