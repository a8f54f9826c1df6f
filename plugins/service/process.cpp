#include "plugins/service/process.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/net/stream.hpp"
#include "core/pool/process_stat.hpp"

namespace rr::service {
namespace {

constexpr int kInterrupt = 2;  // SIGINT everywhere
constexpr int kKill = 9;       // SIGKILL

std::string Text(Duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

std::string Join(const std::string& first, const std::vector<std::string>& words) {
    std::string line = first;
    for (size_t i = 1; i < words.size(); ++i) {
        line.append(" ").append(words[i]);
    }
    return line;
}

}  // namespace

Process::Process(Loop& main, pool::Spawner& spawner, const pool::ServerSettings& settings,
                 const ServiceConfig& config, log::Logger log)
    : LoopBound(main),
      spawner_(spawner),
      settings_(settings),
      config_(config),
      log_(log),
      timer_(main, [this] { OnTimer(); }),
      command_(Join(config.command.front(), config.command)) {}

void Process::Start(Callback<void(Result<void>)> started) {
    AssertInLoop();
    RR_ASSERT(state_ == State::kIdle);
    started_ = std::move(started);
    Launch();
}

// Everything is looked up anew: a command that was missing may have come.
void Process::Launch() {
    state_ = State::kStarting;
    auto plan = pool::Resolve(settings_, config_.command, {});
    if (!plan) {
        loop_.Post([this, error = std::make_unique<Error>(std::move(plan.error()))] {
            OnSpawned(Fail(error->code, error->message));
        });
        return;
    }
    command_ = Join((*plan)->executable, config_.command);
    spawner_.Spawn(
        loop_, {.plan = std::move(*plan), .pipes = true, .whole_group = true},
        [this](Result<pool::Spawned> spawned) { OnSpawned(std::move(spawned)); },
        [this](pool::ExitStatus status) { OnExit(status); });
}

void Process::OnSpawned(Result<pool::Spawned> spawned) {
    auto started = std::exchange(started_, {});
    if (!spawned) {
        problem_ = spawned.error().message;
        log_.Error("service cannot be started", {{"service", config_.name},
                                                 {"command", command_},
                                                 {"error", problem_},
                                                 {"next", Next()}});
        Rest();
        if (started) {
            started(Forward(spawned));
        }
        return;
    }
    pid_ = spawned->pid;
    alive_ = true;
    timed_out_ = false;
    created_unix_ns_ = UnixNanoseconds();
    problem_.clear();
    // Nothing is ever said to it: its standard input ends at once.
    const net::Stream input(loop_, net::Stream::Kind::kPipe, spawned->in, nullptr);
    out_.emplace(loop_, spawned->out, log_);
    err_.emplace(loop_, spawned->err, log_);
    log_.Info("service was started",
              {{"service", config_.name}, {"pid", pid_}, {"command", command_}});
    state_ = State::kRunning;
    if (!stopped_.empty()) {
        Interrupt();
    } else if (config_.exec_timeout > Duration::zero()) {
        timer_.Arm(config_.exec_timeout);
    }
    if (started) {
        started({});
    }
}

void Process::Stop(Duration patience, Callback<void()> stopped) {
    AssertInLoop();
    stopped_.push_back(std::move(stopped));
    const Instant kill_at = Clock::now() + std::min(patience, config_.timeout_stop);
    kill_at_ = std::min(kill_at_, kill_at);
    switch (state_) {
        case State::kStarting: return;  // OnSpawned goes on
        case State::kRunning:
        case State::kStopping: Interrupt(); return;
        case State::kPausing:
        case State::kIdle:
            timer_.Disarm();
            state_ = State::kIdle;
            if (stopped_.size() == 1) {
                loop_.Post([this] { Rest(); });
            }
            return;
    }
}

void Process::Interrupt() {
    if (state_ != State::kStopping) {
        state_ = State::kStopping;
        spawner_.Signal(static_cast<pid_t>(pid_), kInterrupt);
    }
    timer_.Arm(std::max(Duration::zero(), Duration(kill_at_ - Clock::now())));
}

void Process::OnTimer() {
    switch (state_) {
        case State::kRunning:
            timed_out_ = true;
            spawner_.Signal(static_cast<pid_t>(pid_), kKill);
            return;
        case State::kStopping:
            log_.Warn("service does not end on SIGINT and is killed",
                      {{"service", config_.name}, {"pid", pid_}});
            spawner_.Signal(static_cast<pid_t>(pid_), kKill);
            return;
        case State::kPausing: Launch(); return;
        default: return;
    }
}

void Process::OnExit(pool::ExitStatus status) {
    timer_.Disarm();
    alive_ = false;
    // What is still open then belongs to processes that left its group.
    out_->Finish();
    err_->Finish();
    out_.reset();
    err_.reset();
    problem_ = "process_state: open /proc/" + std::to_string(pid_) +
               "/statm: no such file or directory";  // RoadRunner's way of saying so
    LogExit(status);
    Rest();
}

void Process::Rest() {
    if (!stopped_.empty()) {
        state_ = State::kIdle;
        kill_at_ = Instant::max();
        for (auto& stopped : std::exchange(stopped_, {})) {
            stopped();
        }
        return;
    }
    state_ = State::kIdle;
    if (config_.remain_after_exit && !spawner_.ending()) {
        state_ = State::kPausing;
        timer_.Arm(config_.restart);
    }
}

bool Process::Ending() const { return !stopped_.empty() || spawner_.ending(); }

std::string Process::Next() const {
    if (Ending()) {
        return "none, it was stopped";
    }
    if (config_.remain_after_exit) {
        return "another start in " + Text(config_.restart);
    }
    return "none, remain_after_exit is false; `rr reset service` starts it again";
}

void Process::LogExit(pool::ExitStatus status) {
    if (Ending()) {
        log_.Info("service was stopped", {{"service", config_.name}, {"pid", pid_}});
    } else if (timed_out_) {
        log_.Error("service ran longer than exec_timeout and was killed",
                   {{"service", config_.name},
                    {"command", command_},
                    {"pid", pid_},
                    {"exec_timeout", Text(config_.exec_timeout)},
                    {"next", Next()}});
    } else if (status.signal != 0) {
        log_.Error("service was ended by a signal", {{"service", config_.name},
                                                     {"command", command_},
                                                     {"pid", pid_},
                                                     {"signal", status.signal},
                                                     {"next", Next()}});
    } else if (status.code != 0) {
        log_.Error("service ended with an error", {{"service", config_.name},
                                                   {"command", command_},
                                                   {"pid", pid_},
                                                   {"exit_code", status.code},
                                                   {"next", Next()}});
    } else {
        log_.Info("service ended", {{"service", config_.name}, {"pid", pid_}, {"next", Next()}});
    }
}

ProcessStatus Process::Status() const {
    ProcessStatus status{.pid = pid_, .alive = alive_, .command = command_, .problem = problem_};
    if (alive_) {
        const pool::ProcessStat stat = pool::ReadProcessStat(static_cast<pid_t>(pid_));
        const double age = static_cast<double>(UnixNanoseconds() - created_unix_ns_) / 1e9;
        status.memory_bytes = stat.resident_bytes;
        status.cpu_percent = age > 0 ? stat.cpu_seconds / age * 100 : 0;
    }
    return status;
}

}  // namespace rr::service
