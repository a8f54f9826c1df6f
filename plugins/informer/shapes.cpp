#include "plugins/informer/shapes.hpp"

#include <utility>

namespace rr::informer {

namespace {

using Kind = RpcKind;

// Names, their case and their order are Go's process.State: PHP's WorkerPool reads every one.
constexpr RpcField kWorkerFields[] = {
    {"pid", "Pid", Kind::kInt},
    {"status", "Status", Kind::kInt},
    {"numExecs", "NumExecs", Kind::kUint},
    {"created", "Created", Kind::kInt},  // nanoseconds since 1970
    {"memoryUsage", "MemoryUsage", Kind::kUint},
    {"CPUPercent", "CPUPercent", Kind::kDouble},
    {"command", "Command", Kind::kText},
    {"statusStr", "StatusStr", Kind::kText},
};
constexpr RpcShape kWorker{"process.State", kWorkerFields};

constexpr RpcField kWorkerListFields[] = {
    {.name = "workers",
     .long_name = "Workers",
     .kind = Kind::kShape,
     .list = true,
     .shape = &kWorker},
};

constexpr RpcField kPipelineFields[] = {
    {"Pipeline", "", Kind::kText}, {"Driver", "", Kind::kText},   {"Queue", "", Kind::kText},
    {"Active", "", Kind::kInt},    {"Delayed", "", Kind::kInt},   {"Reserved", "", Kind::kInt},
    {"Ready", "", Kind::kBool},    {"Priority", "", Kind::kUint}, {"ErrorMessage", "", Kind::kText},
};

constexpr RpcField kBusyWorkerFields[] = {
    {"pid", "Pid", Kind::kInt},
    {"status", "Status", Kind::kInt},
    {"numExecs", "NumExecs", Kind::kUint},
    {"created", "Created", Kind::kInt},
    {"memoryUsage", "MemoryUsage", Kind::kUint},
    {"CPUPercent", "CPUPercent", Kind::kDouble},
    {"command", "Command", Kind::kText},
    {"statusStr", "StatusStr", Kind::kText},
    {"task", "Task", Kind::kText},         // `GET /slow`; empty: none
    {"taskTime", "TaskTime", Kind::kInt},  // nanoseconds
};
constexpr RpcShape kBusyWorker{"BusyWorker", kBusyWorkerFields};

constexpr RpcField kGroupFields[] = {
    {"plugin", "Plugin", Kind::kText},
    {"queued", "Queued", Kind::kUint},
    {"generation", "Generation", Kind::kUint},
    {"resetting", "Resetting", Kind::kBool},
    {"debug", "Debug", Kind::kBool},
    {"ready", "Ready", Kind::kBool},
    {"bootError", "BootError", Kind::kText},
    {"error", "Error", Kind::kText},
    {.name = "workers",
     .long_name = "Workers",
     .kind = Kind::kShape,
     .list = true,
     .shape = &kBusyWorker},
};
constexpr RpcShape kGroup{"Group", kGroupFields};

constexpr RpcField kGroupListFields[] = {
    {.name = "groups", .long_name = "Groups", .kind = Kind::kShape, .list = true, .shape = &kGroup},
};

constexpr RpcField kHttpWorkerFields[] = {
    {"pid", "Pid", Kind::kInt},
    {"status", "Status", Kind::kText},
    {"numExecs", "NumJobs", Kind::kInt},
    {"created", "Created", Kind::kInt},
    {"memoryUsage", "MemoryUsage", Kind::kUint},
};
constexpr RpcShape kHttpWorker{"State", kHttpWorkerFields};

constexpr RpcField kHttpWorkersFields[] = {
    {.name = "workers",
     .long_name = "Workers",
     .kind = Kind::kShape,
     .list = true,
     .shape = &kHttpWorker},
};

// A process without a protocol lives, and that is all: RoadRunner calls it ready, without a word.
int64_t Code(const WorkerInfo& worker) {
    return static_cast<int64_t>(worker.plain ? WorkerState::kReady : worker.state);
}
const char* Word(const WorkerInfo& worker) { return worker.plain ? "" : Describe(worker.state); }

RpcValue::List WorkerFields(const WorkerInfo& worker) {
    RpcValue::List fields;
    fields.reserve(std::size(kBusyWorkerFields));
    fields.emplace_back(worker.pid);
    fields.emplace_back(Code(worker));
    fields.emplace_back(worker.execs);
    fields.emplace_back(worker.created_unix_ns);
    fields.emplace_back(worker.memory_bytes);
    fields.emplace_back(worker.cpu_percent);
    fields.emplace_back(worker.command);
    fields.emplace_back(Word(worker));
    return fields;
}

RpcValue GroupOf(const Found& group) {
    const GroupStatus none;
    const GroupStatus& status = group.status ? *group.status : none;
    RpcValue::List workers;
    for (const WorkerInfo& worker : status.workers) {
        RpcValue::List fields = WorkerFields(worker);
        fields.emplace_back(worker.task);
        fields.emplace_back(worker.task_ns);
        workers.emplace_back(std::move(fields));
    }
    bool ready = group.pulse != nullptr ? group.pulse->can_serve.load(std::memory_order_relaxed)
                                        : !status.workers.empty();
    RpcValue::List fields;
    fields.emplace_back(group.name);
    fields.emplace_back(status.queued);
    fields.emplace_back(status.generation);
    fields.emplace_back(status.resetting);
    fields.emplace_back(status.debug);
    fields.emplace_back(ready);
    fields.emplace_back(status.boot_error);
    fields.emplace_back(group.status ? std::string() : group.status.error().message);
    fields.emplace_back(std::move(workers));
    return fields;
}

}  // namespace

const RpcShape kWorkerList{"WorkerList", kWorkerListFields};
const RpcShape kPipeline{"jobs.State", kPipelineFields};
const RpcShape kGroupList{"GroupList", kGroupListFields};
const RpcShape kHttpWorkers{"WorkerList", kHttpWorkersFields};

RpcValue WorkerListOf(const GroupStatus& status) {
    RpcValue::List workers;
    for (const WorkerInfo& worker : status.workers) {
        workers.emplace_back(WorkerFields(worker));
    }
    return RpcValue::List{RpcValue(std::move(workers))};
}

RpcValue GroupListOf(const std::vector<Found>& groups) {
    RpcValue::List list;
    for (const Found& group : groups) {
        list.push_back(GroupOf(group));
    }
    return RpcValue::List{RpcValue(std::move(list))};
}

RpcValue HttpWorkersOf(const GroupStatus& status) {
    RpcValue::List workers;
    for (const WorkerInfo& worker : status.workers) {
        RpcValue::List fields;
        fields.emplace_back(worker.pid);
        fields.emplace_back(Word(worker));
        fields.emplace_back(static_cast<int64_t>(worker.execs));
        fields.emplace_back(worker.created_unix_ns);
        fields.emplace_back(worker.memory_bytes);
        workers.emplace_back(std::move(fields));
    }
    return RpcValue::List{RpcValue(std::move(workers))};
}

}  // namespace rr::informer
