#include "plugins/logger/records.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace rr::logger {
namespace {

using log::Field;
using log::Level;

constexpr std::string_view kEventKey = "internal_event_name";  // RoadRunner's, as its values are
constexpr size_t kShownOutput = 4096;

// The fields of one record, of which some are only there if they say something.
class Fields {
public:
    template <class Value>
    Fields& Add(std::string_view key, const Value& value) {
        if (count_ < fields_.size()) {
            fields_[count_++] = Field(key, value);
        }
        return *this;
    }
    // exit_code or signal, whichever the process ended with.
    Fields& AddEnd(const WorkerEvent& event) {
        if (event.signal != 0) {
            Add("signal", event.signal);
        } else if (event.exit_code >= 0) {
            Add("exit_code", event.exit_code);
        }
        return *this;
    }
    void Write(const log::Logger& log, Level level, std::string_view message) const {
        log.Write(level, message, fields_.data(), count_);
    }

private:
    std::array<Field, 8> fields_{Field("", 0), Field("", 0), Field("", 0), Field("", 0),
                                 Field("", 0), Field("", 0), Field("", 0), Field("", 0)};
    size_t count_ = 0;
};

// The pool's words for why a worker ends, and RoadRunner's names for it.
struct Why {
    std::string_view reason;
    std::string_view event;
    Level level;
    std::string_view message = "worker will be replaced";
};
constexpr std::string_view kNotReplaced = "worker will be stopped";
constexpr std::array<Why, 12> kWhys = {{
    {"max_jobs", "EventWorkerStopped", Level::kDebug},
    {"ttl", "EventTTL", Level::kDebug},
    {"idle_ttl", "EventIdleTTL", Level::kDebug},
    {"max_worker_memory", "EventMaxMemory", Level::kWarn},
    {"exec_ttl", "EventExecTTL", Level::kWarn},
    {"protocol", "EventWorkerError", Level::kWarn},
    {"replace_me", "EventWorkerStopped", Level::kDebug},
    {"reset", "EventWorkerStopped", Level::kDebug},
    {"debug", "EventWorkerStopped", Level::kDebug},
    {"removed", "EventWorkerStopped", Level::kDebug, kNotReplaced},
    {"shrink", "EventWorkerStopped", Level::kDebug, kNotReplaced},
    {"closing", "EventWorkerStopped", Level::kDebug, kNotReplaced},
}};

std::string KindOf(const WorkerEvent& event) {
    std::string kind(event.reason);
    kind.append("|").append(std::to_string(event.exit_code));
    kind.append("|").append(std::to_string(event.signal));
    return kind;
}

}  // namespace

void Records::Write(const ServerEvent& event) {
    switch (event.phase) {
        case ServerPhase::kStarting: log_.Debug("server is starting"); return;
        case ServerPhase::kStarted: log_.Debug("server was started"); return;
        case ServerPhase::kStopping: log_.Info("server is stopping"); return;
    }
}

void Records::Write(const WorkerEvent& event) {
    switch (event.change) {
        case WorkerChange::kSpawned:
            log_.Debug(
                "worker is allocated",
                {{"pid", event.pid}, {"pool", event.pool}, {kEventKey, "EventWorkerConstruct"}});
            return;
        case WorkerChange::kReady: WriteReady(event); return;
        case WorkerChange::kStopped:
            log_.Debug("worker destroyed", {{"pid", event.pid},
                                            {"pool", event.pool},
                                            {"execs", event.execs},
                                            {kEventKey, "EventWorkerDestruct"}});
            return;
        case WorkerChange::kExited: WriteExited(event); return;
        case WorkerChange::kFailed: WriteFailed(event); return;
        case WorkerChange::kRecycled: WriteRecycled(event); return;
    }
}

void Records::WriteReady(const WorkerEvent& event) {
    Failure over;
    {
        const std::lock_guard lock(mutex_);
        const auto failing = failures_.find(event.pool);
        if (failing != failures_.end()) {
            over = std::move(failing->second);
            failures_.erase(failing);
        }
    }
    if (over.times > 0) {
        log_.Info("workers start again",
                  {{"pid", event.pid}, {"pool", event.pool}, {"failed_attempts", over.times}});
        return;
    }
    log_.Debug("worker is ready", {{"pid", event.pid}, {"pool", event.pool}});
}

void Records::WriteExited(const WorkerEvent& event) {
    if (!log_.Enabled(Level::kDebug)) {
        return;
    }
    Fields fields;
    fields.Add("pid", event.pid).Add("pool", event.pool).Add("execs", event.execs).AddEnd(event);
    fields.Add(kEventKey, "EventWorkerWaitExit");
    fields.Write(log_, Level::kDebug, "worker stopped");
}

// The pool tries again and again: the first failure of a kind is a record, the others are counted
// until a worker of that pool is ready or fails in another way.
void Records::WriteFailed(const WorkerEvent& event) {
    {
        const std::lock_guard lock(mutex_);
        auto found = failures_.find(event.pool);
        if (found == failures_.end()) {
            found = failures_.emplace(std::string(event.pool), Failure{}).first;
        }
        Failure& failure = found->second;
        ++failure.times;
        std::string kind = KindOf(event);
        if (failure.kind == kind) {
            return;
        }
        failure.kind = std::move(kind);
    }
    Fields fields;
    fields.Add("pool", event.pool).Add("error", event.reason).AddEnd(event);
    fields.Add("command", event.command);
    if (!event.output.empty()) {
        const size_t cut = event.output.size() - std::min(event.output.size(), kShownOutput);
        fields.Add("output", event.output.substr(cut));
    }
    fields.Add(kEventKey, "EventWorkerError");
    fields.Write(log_, Level::kError, "failed to allocate a worker");
}

void Records::WriteRecycled(const WorkerEvent& event) {
    const auto known = std::find_if(kWhys.begin(), kWhys.end(),
                                    [&](const Why& why) { return why.reason == event.reason; });
    const Why why =
        known == kWhys.end() ? Why{event.reason, "EventWorkerStopped", Level::kDebug} : *known;
    log_.Write(
        why.level, why.message,
        std::array{Field("pid", event.pid), Field("pool", event.pool), Field("reason", why.reason),
                   Field("execs", event.execs), Field(kEventKey, why.event)}
            .data(),
        5);
}

void Records::Write(const ResetEvent& event) {
    const int64_t elapsed_ms = event.elapsed_ns / 1000000;
    switch (event.phase) {
        case ResetPhase::kBegun: log_.Info("reset begun", {{"pool", event.pool}}); return;
        case ResetPhase::kDone:
            log_.Info("reset done", {{"pool", event.pool}, {"elapsed_ms", elapsed_ms}});
            return;
        case ResetPhase::kFailed:
            log_.Error("reset failed, the old workers stay",
                       {{"pool", event.pool}, {"elapsed_ms", elapsed_ms}, {"error", event.reason}});
            return;
    }
}

}  // namespace rr::logger
