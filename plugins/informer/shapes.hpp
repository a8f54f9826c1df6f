// The results of the informer's methods: RoadRunner's, and one of ours that says more.
//
// Thread: constants and pure functions.
#pragma once

#include <string>

#include "core/api/rpc.hpp"
#include "core/api/worker_group.hpp"

namespace rr::informer {

extern const RpcShape kWorkerList;   // informer.Workers: {workers: [W]}
extern const RpcShape kPipeline;     // informer.Jobs: [J]
extern const RpcShape kGroupList;    // informer.Status, ours: {groups: [G]}
extern const RpcShape kHttpWorkers;  // http.Workers of 1.x: {workers: [W1]}

// A group as it was found: its name, and its state or why there is none.
struct Found {
    std::string name;
    Result<GroupStatus> status;
    const GroupPulse* pulse;  // null: none
};

RpcValue WorkerListOf(const GroupStatus& status);
RpcValue GroupListOf(const std::vector<Found>& groups);
RpcValue HttpWorkersOf(const GroupStatus& status);

}  // namespace rr::informer
