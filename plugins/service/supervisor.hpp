// Supervisor: every service by name, those of the file and those created over RPC.
//
// Thread: the main loop.
// Owns:   the services. Borrows the spawner, which outlives it.
// Fails:  through the callbacks, in RoadRunner's words. A service of the file that cannot be started
//         is an error in the log and no more.
// REQUIRES: dies after Stop was answered, or before Start.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/resettable.hpp"
#include "core/api/worker_group.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"
#include "plugins/service/service.hpp"

namespace rr::service {

class Supervisor final : public WorkerGroup, public Resettable, private LoopBound {
public:
    using Done = Callback<void(Result<void>)>;
    using LogOf = Callback<log::Logger(std::string_view channel)>;

    Supervisor(Loop& main, pool::Spawner& spawner, pool::ServerSettings settings, LogOf log_of);

    // Starts the services of the file; does not wait for them.
    void Start(std::vector<ServiceConfig> services);

    // done: when all processes run. One that does not start takes the service with it.
    void Create(ServiceConfig config, Done done);
    // done: when the processes are gone, and with them the service.
    void Terminate(std::string_view name, Done done);
    void RestartOne(std::string_view name, Done done);
    Result<std::vector<ProcessStatus>> StatusOf(std::string_view name) const;
    std::vector<std::string> Names() const;

    // Ends all of them side by side; those that do not end by the deadline are killed.
    void Stop(Deadline deadline, Callback<void()> stopped);

    std::string_view group_name() const override { return "service"; }
    const GroupPulse* pulse() const override { return nullptr; }
    void Status(StatusDone done) override;
    bool resizable() const override { return false; }
    void AddWorker(WorkerGroup::Done done) override;
    void RemoveWorker(WorkerGroup::Done done) override;

    std::string_view reset_name() const override { return "service"; }
    // Restarts every service.
    void Reset(Callback<void(Result<void>)> done) override;

private:
    struct Entry {
        std::unique_ptr<Service> service;
        std::vector<Done> terminating;  // not empty: on its way out
    };
    using Entries = std::list<Entry>;

    Entry& Add(ServiceConfig config);
    Entries::iterator Find(std::string_view name);
    Service* FindLiving(std::string_view name) const;
    void Remove(Service* service);

    pool::Spawner& spawner_;  // constant after construction, like the next two
    const pool::ServerSettings settings_;
    mutable LogOf log_of_;
    Entries entries_;
    uint64_t resets_ = 0;
    size_t resetting_ = 0;
    bool stopping_ = false;
};

}  // namespace rr::service
