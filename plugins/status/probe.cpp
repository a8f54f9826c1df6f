#include "plugins/status/probe.hpp"

#include <atomic>
#include <string>
#include <utility>

#include "core/web/query.hpp"

namespace rr::status {
namespace {

constexpr std::string_view kFailing = "internal server error, see logs";

// `http` is the plugin of the groups `http` and `http.slow`.
bool BelongsTo(std::string_view group, std::string_view plugin) {
    return group == plugin || (group.size() > plugin.size() && group.starts_with(plugin) &&
                               group[plugin.size()] == '.');
}

// Names of groups are identifiers of plugins: nothing in them needs an escape.
void AppendEntry(std::string& json, std::string_view name, bool fine, int code) {
    json.append(json.empty() ? "" : ",").append(R"({"plugin_name":")").append(name);
    json.append(R"(","error_message":")").append(fine ? "" : kFailing);
    json.append(R"(","status_code":)").append(std::to_string(code)).append("}");
}

}  // namespace

Probe::Probe(StatusConfig config, const std::vector<WorkerGroup*>& groups)
    : config_(std::move(config)) {
    for (const WorkerGroup* group : groups) {
        if (group->pulse() != nullptr && group->vital()) {
            groups_.push_back({group->group_name(), group->pulse()});
        }
    }
}

bool Probe::Says(Question question, const GroupPulse& pulse) const {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    if (pulse.debug.load(kRelaxed)) {
        // Its workers live for one request: their number says nothing.
        return !pulse.boot_failed.load(kRelaxed);
    }
    const uint32_t ready = pulse.ready.load(kRelaxed);
    if (question == Question::kHealth) {
        return ready + pulse.working.load(kRelaxed) > 0;
    }
    return config_.strict_ready ? ready > 0 : pulse.can_serve.load(kRelaxed);
}

std::optional<bool> Probe::Ask(Question question, std::string_view plugin) const {
    std::optional<bool> answer;
    for (const Group& group : groups_) {
        if (BelongsTo(group.name, plugin)) {
            answer = answer.value_or(true) && Says(question, *group.pulse);
        }
    }
    return answer;
}

web::Answer Probe::Report(Question question, std::string_view query) const {
    web::Answer answer;
    const auto add = [&](const Group& group) {
        const bool fine = Says(question, *group.pulse);
        const int code = fine ? 200 : config_.unavailable_status_code;
        AppendEntry(answer.body, group.name, fine, code);
        answer.status = fine ? answer.status : code;
    };
    const auto wanted = web::QueryValues(query, "plugin");
    for (const Group& group : groups_) {
        if (wanted.empty()) {
            add(group);
        }
    }
    for (const std::string& plugin : wanted) {
        for (const Group& group : groups_) {
            if (BelongsTo(group.name, plugin)) {
                add(group);
            }
        }
    }
    answer.body = "[" + answer.body + "]";
    return answer;
}

web::Answer Probe::Draining(bool healthy) const {
    return {healthy ? 200 : config_.unavailable_status_code, "service is shutting down"};
}

// RoadRunner 1.x: a status and nothing else.
web::Answer Probe::EveryPath(bool draining) const {
    if (draining) {
        return {config_.drain_unhealthy ? config_.unavailable_status_code : 200, ""};
    }
    return {Report(Question::kHealth, {}).status, ""};
}

web::Answer Probe::Answer(const web::Request& request, bool draining) const {
    if (request.path == "/health") {
        return draining ? Draining(!config_.drain_unhealthy)
                        : Report(Question::kHealth, request.query);
    }
    if (request.path == "/ready") {
        return draining ? Draining(false) : Report(Question::kReady, request.query);
    }
    if (request.path == "/jobs") {
        return draining ? Draining(false)
                        : web::Answer{config_.unavailable_status_code, "jobs plugin not found"};
    }
    if (config_.every_path) {
        return EveryPath(draining);
    }
    return {404, "404 page not found\n"};
}

}  // namespace rr::status
