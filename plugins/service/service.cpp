#include "plugins/service/service.hpp"

#include <utility>

namespace rr::service {
namespace {

pool::ServerSettings Adapt(pool::ServerSettings settings, const ServiceConfig& config) {
    settings.section = "service." + config.name;
    settings.command.clear();
    settings.env = config.env;
    settings.user = config.user;
    settings.group.clear();
    return settings;
}

}  // namespace

Service::Service(Loop& main, pool::Spawner& spawner, const pool::ServerSettings& settings,
                 ServiceConfig config, log::Logger log)
    : LoopBound(main), config_(std::move(config)), settings_(Adapt(settings, config_)) {
    for (int64_t i = 0; i < config_.process_num; ++i) {
        processes_.push_back(std::make_unique<Process>(main, spawner, settings_, config_, log));
    }
}

void Service::Start(Done done) { StartAll(std::move(done)); }

void Service::StartAll(Done done) {
    struct Count {
        size_t left;
        Result<void> result;
        Done done;
    };
    auto count = std::make_shared<Count>(Count{processes_.size(), {}, std::move(done)});
    for (auto& process : processes_) {
        process->Start([count](Result<void> started) {
            if (!started && count->result) {
                count->result = std::move(started);
            }
            if (--count->left == 0) {
                count->done(std::move(count->result));
            }
        });
    }
}

void Service::StopAll(Duration patience, Callback<void()> stopped) {
    struct Count {
        size_t left;
        Callback<void()> stopped;
    };
    auto count = std::make_shared<Count>(Count{processes_.size(), std::move(stopped)});
    for (auto& process : processes_) {
        process->Stop(patience, [count] {
            if (--count->left == 0) {
                count->stopped();
            }
        });
    }
}

void Service::Restart(Done done) {
    AssertInLoop();
    restarts_.push_back(std::move(done));
    const uint64_t round = ++round_;
    StopAll(config_.timeout_stop, [this, round] {
        if (round != round_) {
            return;
        }
        StartAll([this, round](Result<void> result) {
            if (round == round_) {
                Answer(result);
            }
        });
    });
}

void Service::Stop(Duration patience, Callback<void()> stopped) {
    AssertInLoop();
    ++round_;
    Answer(Fail(Errc::kCancelled, "the service with " + name() + " name was stopped meanwhile"));
    StopAll(patience, std::move(stopped));
}

void Service::Answer(const Result<void>& result) {
    for (Done& done : std::exchange(restarts_, {})) {
        done(result);
    }
}

std::vector<ProcessStatus> Service::Status() const {
    std::vector<ProcessStatus> all;
    for (const auto& process : processes_) {
        all.push_back(process->Status());
    }
    return all;
}

}  // namespace rr::service
