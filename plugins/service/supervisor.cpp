#include "plugins/service/supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rr::service {
namespace {

// What a process gets for its end when the server's time is over already.
constexpr Duration kLeastPatience = std::chrono::milliseconds(500);

Error Unknown(std::string_view name) {
    return Error(Errc::kNotFound, "the service with " + std::string(name) + " name doesn't exist");
}

Error Unmanaged() {
    return Error(Errc::kUnsupported, "plugin service does not support workers management");
}

}  // namespace

Supervisor::Supervisor(Loop& main, pool::Spawner& spawner, pool::ServerSettings settings,
                       LogOf log_of)
    : LoopBound(main),
      spawner_(spawner),
      settings_(std::move(settings)),
      log_of_(std::move(log_of)) {}

Supervisor::Entry& Supervisor::Add(ServiceConfig config) {
    const log::Logger log =
        log_of_(config.service_name_in_log ? "service." + config.name : "service");
    entries_.push_back(
        {std::make_unique<Service>(loop_, spawner_, settings_, std::move(config), log), {}});
    return entries_.back();
}

Supervisor::Entries::iterator Supervisor::Find(std::string_view name) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const Entry& entry) { return entry.service->name() == name; });
}

Service* Supervisor::FindLiving(std::string_view name) const {
    for (const Entry& entry : entries_) {
        if (entry.service->name() == name && entry.terminating.empty()) {
            return entry.service.get();
        }
    }
    return nullptr;
}

void Supervisor::Start(std::vector<ServiceConfig> services) {
    AssertInLoop();
    for (ServiceConfig& config : services) {
        // What goes wrong was logged, with what happens next.
        Add(std::move(config)).service->Start([](const Result<void>&) {});
    }
}

void Supervisor::Create(ServiceConfig config, Done done) {
    AssertInLoop();
    std::string problem;
    if (stopping_) {
        problem = "the server is stopping";
    } else if (config.name.empty()) {
        problem = "the service should have a name";
    } else if (Find(config.name) != entries_.end()) {
        problem = "the service with " + config.name + " name already exists";
    } else if (config.process_num < 1) {
        problem = "the service with " + config.name + " name should have at least 1 process";
    } else if (config.process_num > ServiceConfig::kMostProcesses) {
        problem = "the service with " + config.name + " name should have at most " +
                  std::to_string(ServiceConfig::kMostProcesses) + " processes";
    } else if (config.command.empty() || config.command.front().empty()) {
        problem = "the service with " + config.name + " name should have a command";
    }
    if (!problem.empty()) {
        done(Fail(Errc::kInvalid, std::move(problem)));
        return;
    }
    Service* service = Add(std::move(config)).service.get();
    service->Start(
        [this, name = service->name(), done = std::move(done)](Result<void> started) mutable {
            if (started) {
                done({});
                return;
            }
            Terminate(name,
                      [done = std::move(done), error = std::move(started.error())](
                          const Result<void>&) mutable { done(Fail(error.code, error.message)); });
        });
}

void Supervisor::Terminate(std::string_view name, Done done) {
    AssertInLoop();
    auto entry = Find(name);
    if (entry == entries_.end()) {
        done(tl::unexpected(Unknown(name)));
        return;
    }
    entry->terminating.push_back(std::move(done));
    if (entry->terminating.size() > 1) {
        return;
    }
    Service* service = entry->service.get();
    service->Stop(Duration::max(), [this, service] {
        // Not from inside one of its own processes.
        loop_.Post([this, service] { Remove(service); });
    });
}

void Supervisor::Remove(Service* service) {
    auto entry = std::find_if(entries_.begin(), entries_.end(),
                              [&](const Entry& one) { return one.service.get() == service; });
    std::vector<Done> done = std::move(entry->terminating);
    entries_.erase(entry);
    for (Done& one : done) {
        one({});
    }
}

void Supervisor::RestartOne(std::string_view name, Done done) {
    AssertInLoop();
    Service* service = stopping_ ? nullptr : FindLiving(name);
    if (service == nullptr) {
        done(tl::unexpected(Unknown(name)));
        return;
    }
    service->Restart(std::move(done));
}

Result<std::vector<ProcessStatus>> Supervisor::StatusOf(std::string_view name) const {
    AssertInLoop();
    const Service* service = FindLiving(name);
    if (service == nullptr) {
        return tl::unexpected(Unknown(name));
    }
    return service->Status();
}

std::vector<std::string> Supervisor::Names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) {
        if (entry.terminating.empty()) {
            names.push_back(entry.service->name());
        }
    }
    return names;
}

void Supervisor::Stop(Deadline deadline, Callback<void()> stopped) {
    AssertInLoop();
    stopping_ = true;
    if (entries_.empty()) {
        loop_.Post([stopped = std::move(stopped)]() mutable { stopped(); });
        return;
    }
    struct Count {
        size_t left;
        Callback<void()> stopped;
    };
    const Duration patience = std::max(kLeastPatience, Duration(deadline - Clock::now()));
    auto count = std::make_shared<Count>(Count{entries_.size(), std::move(stopped)});
    for (Entry& entry : entries_) {
        entry.service->Stop(patience, [count] {
            if (--count->left == 0) {
                count->stopped();
            }
        });
    }
}

// A process that is gone does not hide the others.
void Supervisor::Status(StatusDone done) {
    AssertInLoop();
    GroupStatus status;
    status.generation = resets_;
    status.resetting = resetting_ > 0;
    for (const Entry& entry : entries_) {
        for (const ProcessStatus& process : entry.service->Status()) {
            if (process.alive) {
                WorkerInfo info;
                info.pid = process.pid;
                info.state = WorkerState::kReady;
                info.plain = true;
                info.memory_bytes = process.memory_bytes;
                info.cpu_percent = process.cpu_percent;
                info.command = process.command;
                status.workers.push_back(std::move(info));
            }
        }
    }
    loop_.Post([done = std::move(done), status = std::move(status)]() mutable {
        done(std::move(status));
    });
}

void Supervisor::AddWorker(WorkerGroup::Done done) {
    loop_.Post([done = std::move(done)]() mutable { done(tl::unexpected(Unmanaged())); });
}

void Supervisor::RemoveWorker(WorkerGroup::Done done) { AddWorker(std::move(done)); }

void Supervisor::Reset(Callback<void(Result<void>)> done) {
    AssertInLoop();
    struct Count {
        size_t left = 1;  // one more than the services, given back at the end: there may be none
        Result<void> result;
        Callback<void(Result<void>)> done;
    };
    auto count = std::make_shared<Count>();
    count->done = std::move(done);
    ++resetting_;
    const log::Logger log = log_of_("service");
    log.Info("reset signal was received");
    auto one = [this, count, log](std::string_view name, Result<void> restarted) {
        if (!restarted && count->result) {
            count->result = Forward(restarted, name);
        }
        if (--count->left == 0) {
            --resetting_;
            ++resets_;
            if (count->result) {
                log.Info("plugin was successfully reset");
            }
            count->done(std::move(count->result));
        }
    };
    for (Entry& entry : entries_) {
        if (!stopping_ && entry.terminating.empty()) {
            ++count->left;
            entry.service->Restart(
                [one, name = entry.service->name()](Result<void> result) mutable {
                    one(name, std::move(result));
                });
        }
    }
    loop_.Post([one]() mutable { one("", {}); });
}

}  // namespace rr::service
