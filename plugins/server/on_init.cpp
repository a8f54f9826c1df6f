#include "plugins/server/on_init.hpp"

#include <algorithm>

namespace rr::server {

namespace {

constexpr int kKill = 9;  // SIGKILL everywhere

std::string Seconds(Duration time) {
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

}  // namespace

void LineLog::Take(Bytes bytes) {
    while (!bytes.empty()) {
        size_t end = bytes.find('\n');
        size_t take = std::min(std::min(end, bytes.size()), kLongest - rest_.size());
        rest_.append(bytes.substr(0, take));
        bool line_ended = take == end;
        bytes.remove_prefix(take + (line_ended ? 1 : 0));
        if (line_ended || rest_.size() == kLongest) {
            Emit(rest_);
            rest_.clear();
        }
    }
}

void LineLog::Finish() {
    if (!rest_.empty()) {
        Emit(rest_);
        rest_.clear();
    }
}

void LineLog::Emit(std::string_view line) {
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (!line.empty()) {
        log_.Info(line);
    }
}

OnInitRun::Output::Output(OnInitRun& run, int descriptor)
    : run_(run), lines_(run.log_), stream_(run.loop_, net::Stream::Kind::kPipe, descriptor, this) {
    stream_.StartReading();
}

void OnInitRun::Output::OnData(size_t size) { lines_.Take({net::ReadScratch().data(), size}); }

void OnInitRun::Output::OnClosed(net::CloseReason) {
    lines_.Finish();
    closed_ = true;
    run_.FinishIfEnded();
}

OnInitRun::OnInitRun(Loop& main, pool::Spawner& spawner, log::Logger log)
    : LoopBound(main), spawner_(spawner), log_(log), timer_(main, [this] { OnTimeout(); }) {}

OnInitRun::~OnInitRun() = default;

void OnInitRun::Start(std::shared_ptr<const pool::LaunchPlan> plan, Duration exec_timeout,
                      Done done) {
    done_ = std::move(done);
    exec_timeout_ = exec_timeout;
    command_line_ = plan->command_line;
    spawner_.Spawn(
        loop_, {std::move(plan), true},
        [this](Result<pool::Spawned> spawned) { OnSpawned(std::move(spawned)); },
        [this](pool::ExitStatus status) { OnExit(status); });
}

void OnInitRun::OnSpawned(Result<pool::Spawned> spawned) {
    if (!spawned) {
        done_(Forward(spawned, "on_init"));
        return;
    }
    pid_ = spawned->pid;
    // Nothing is ever said to it: its standard input ends at once.
    net::Stream input(loop_, net::Stream::Kind::kPipe, spawned->in, nullptr);
    out_ = std::make_unique<Output>(*this, spawned->out);
    err_ = std::make_unique<Output>(*this, spawned->err);
    timer_.Arm(exec_timeout_);
}

void OnInitRun::OnTimeout() {
    timed_out_ = true;
    if (exited_) {
        FinishIfEnded();  // somebody it left behind still holds the pipes
        return;
    }
    spawner_.Signal(pid_, kKill);
}

void OnInitRun::OnExit(pool::ExitStatus status) {
    exited_ = true;
    status_ = status;
    FinishIfEnded();
}

void OnInitRun::FinishIfEnded() {
    if (!done_ || !exited_ || (!timed_out_ && !(out_->closed() && err_->closed()))) {
        return;
    }
    timer_.Disarm();
    Done done = std::move(done_);
    std::string command = "on_init: `" + command_line_ + "` ";
    if (timed_out_ && status_.signal == kKill) {
        done(Fail(Errc::kTimeout, command + "ran longer than exec_timeout (" +
                                      Seconds(exec_timeout_) + ") and was killed"));
    } else if (status_.signal != 0) {
        done(Fail(Errc::kProcess,
                  command + "was ended by signal " + std::to_string(status_.signal)));
    } else if (status_.code != 0) {
        done(Fail(Errc::kProcess, command + "exited with code " + std::to_string(status_.code)));
    } else {
        done({});
    }
}

}  // namespace rr::server
