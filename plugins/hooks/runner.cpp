#include "plugins/hooks/runner.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/net/stream.hpp"
#include "core/pool/worker_log.hpp"

namespace rr::hooks {
namespace {

constexpr int kKill = 9;  // SIGKILL

// Adds the event's name to what a command writes.
class Labelled final : public log::Channel {
public:
    Labelled(log::Logger log, Event event) : log_(log), event_(event) {
        SetLevel(log::Level::kDebug);
    }
    void Write(log::Level level, std::string_view message, const log::Field*, size_t) override {
        const log::Field field("event", name());
        log_.Write(level, message, &field, 1);
    }

    std::string_view name() const { return NameOf(event_); }

private:
    const log::Logger log_;
    const Event event_;
};

std::string Text(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
           " ms";
}

}  // namespace

class Runner::Command {
public:
    Command(Runner& runner, Event event, const Hook& hook, Duration limit, Finished finished)
        : runner_(runner),
          hook_(hook),
          limit_(std::min(limit, hook.timeout)),
          labelled_(runner.log_, event),
          begun_(Clock::now()),
          finished_(std::move(finished)),
          timeout_(runner.loop_, [this] { Kill(); }) {}

    void Start(const Variables& variables) {
        auto plan = pool::Resolve(runner_.settings_, hook_.command, variables);
        if (!plan) {
            runner_.loop_.Post([this, error = std::make_unique<Error>(plan.error())] {
                Finish(Fail(error->code, error->message));
            });
            return;
        }
        runner_.spawner_.Spawn(
            runner_.loop_, {std::move(*plan), true},
            [this](Result<pool::Spawned> spawned) { OnSpawned(std::move(spawned)); },
            [this](pool::ExitStatus status) { OnExit(status); });
    }

    // The exit follows, and with it the end.
    void Kill() {
        killed_ = true;
        if (pid_ != 0) {
            runner_.spawner_.Signal(pid_, kKill);
        }
    }

private:
    void OnSpawned(Result<pool::Spawned> spawned) {
        if (!spawned) {
            Finish(Forward(spawned));
            return;
        }
        pid_ = spawned->pid;
        // Commands read an empty standard input.
        const net::Stream closed_at_once(runner_.loop_, net::Stream::Kind::kPipe, spawned->in,
                                         nullptr);
        out_.emplace(runner_.loop_, spawned->out, log::Logger(&labelled_));
        err_.emplace(runner_.loop_, spawned->err, log::Logger(&labelled_));
        if (killed_) {
            Kill();
        }
        timeout_.Arm(limit_);
    }

    // What is still open then belongs to processes that the command left behind.
    void OnExit(pool::ExitStatus status) {
        out_->Finish();
        err_->Finish();
        const Duration elapsed = Clock::now() - begun_;
        if (status.code == 0 && !killed_) {
            runner_.log_.Debug("hook finished",
                               {{"event", name()}, {"pid", pid_}, {"elapsed", Text(elapsed)}});
            Finish({});
        } else if (killed_) {
            Finish(Fail(Errc::kTimeout, "killed after " + Text(elapsed)));
        } else if (status.signal != 0) {
            Finish(Fail(Errc::kProcess, "ended by signal " + std::to_string(status.signal)));
        } else {
            Finish(Fail(Errc::kProcess, "exited with " + std::to_string(status.code)));
        }
    }

    void Finish(Result<void> result) {
        Finished finished = std::move(finished_);
        if (!result) {
            result = Forward(result, name());
        }
        runner_.Remove(*this);  // deletes this
        finished(std::move(result));
    }

    std::string_view name() const { return labelled_.name(); }

    Runner& runner_;
    const Hook& hook_;
    const Duration limit_;
    Labelled labelled_;
    const Instant begun_;
    Finished finished_;
    net::Timer timeout_;
    int64_t pid_ = 0;  // 0: not started yet
    bool killed_ = false;
    std::optional<pool::WorkerLog> out_;
    std::optional<pool::WorkerLog> err_;
};

Runner::Runner(Loop& main, pool::Spawner& spawner, pool::ServerSettings settings, log::Logger log)
    : LoopBound(main), spawner_(spawner), settings_(std::move(settings)), log_(log) {}

Runner::~Runner() = default;

void Runner::Run(Event event, const Hook& hook, Variables variables, Duration limit,
                 Finished finished) {
    AssertInLoop();
    commands_.push_back(std::make_unique<Command>(*this, event, hook, limit, std::move(finished)));
    commands_.back()->Start(variables);
}

void Runner::Close(Deadline deadline, Callback<void()> closed) {
    AssertInLoop();
    closed_ = std::move(closed);
    if (commands_.empty()) {
        loop_.Post([this] { closed_(); });
        return;
    }
    deadline_ = std::make_unique<net::Timer>(loop_, [this] { KillAll(); });
    deadline_->Arm(std::max(Duration::zero(), Duration(deadline - Clock::now())));
}

void Runner::KillAll() {
    for (auto& command : commands_) {
        command->Kill();
    }
}

void Runner::Remove(Command& command) {
    commands_.remove_if([&](const auto& one) { return one.get() == &command; });
    if (closed_ && commands_.empty()) {
        deadline_.reset();
        loop_.Post([this] { closed_(); });
    }
}

}  // namespace rr::hooks
