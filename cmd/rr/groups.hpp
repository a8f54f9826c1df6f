// Groups: plugins with workers, as a server describes them over RPC; ours in one call, RoadRunner's
// in several.
//
// Thread: values; AskGroups where its client is used.
// Fails:  AskGroups as the client does. What the server could not tell about one plugin stands in
//         that plugin's `error`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/rpc/client.hpp"

namespace rr::cmd {

struct WorkerView {
    int64_t pid = 0;
    int64_t status = 0;
    std::string word;  // of the status; empty: a process without a protocol
    uint64_t execs = 0;
    int64_t created_unix_ns = 0;
    uint64_t memory = 0;
    double cpu_percent = 0;
    std::string command;
    std::string task;  // `GET /slow`; empty: none
    int64_t task_ns = 0;
};

struct PipelineView {
    std::string pipeline;
    std::string driver;
    std::string queue;
    int64_t active = 0;
    int64_t delayed = 0;
    int64_t reserved = 0;
    bool ready = false;
};

struct GroupView {
    std::string plugin;
    bool detailed = false;  // the server says what stands from here to boot_error
    uint64_t queued = 0;
    uint64_t generation = 0;
    bool resetting = false;
    bool debug = false;
    bool ready = false;
    std::string boot_error;
    std::string error;                    // why there is nothing to see
    std::vector<WorkerView> workers;      // by pid
    std::vector<PipelineView> pipelines;  // by name

    bool plain() const;  // supervised processes
};

// names: empty for all. Unknown names are left out.
Result<std::vector<GroupView>> AskGroups(rpc::Client& client,
                                         const std::vector<std::string>& names);

// The answers' bodies. Fail with kProtocol for what is no such answer.
Result<std::vector<GroupView>> ReadGroups(std::string_view json);
Result<std::vector<WorkerView>> ReadWorkers(std::string_view json, bool& known);
Result<std::vector<PipelineView>> ReadPipelines(std::string_view json);
Result<std::vector<std::string>> ReadNames(std::string_view json);
Result<std::string> ReadText(std::string_view json);

// `{"groups":[...]}`, for scripts.
std::string WriteGroups(const std::vector<GroupView>& groups);

}  // namespace rr::cmd
