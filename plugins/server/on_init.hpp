// OnInitRun: runs `server.on_init` once and waits for its end.
//
// What it prints goes to the log line by line. It has ended when the process is gone and its output
// is closed; at exec_timeout its process group is killed and nothing but its end is waited for.
//
// Thread: the main loop.
// Owns:   the pipes and the timer of the run. Borrows the spawner.
// Fails:  kProcess with what went wrong: spawn, exit code, signal; kTimeout.
#pragma once

#include <memory>
#include <string>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"
#include "core/pool/spawner.hpp"

namespace rr::server {

// Cuts a byte stream into lines for the log. Very long lines are cut.
class LineLog {
public:
    explicit LineLog(log::Logger log) : log_(log) {}
    void Take(Bytes bytes);
    // The rest, which has no line end.
    void Finish();

private:
    static constexpr size_t kLongest = 16384;
    void Emit(std::string_view line);

    log::Logger log_;
    std::string rest_;
};

class OnInitRun final : private LoopBound {
public:
    using Done = Callback<void(Result<void>)>;

    OnInitRun(Loop& main, pool::Spawner& spawner, log::Logger log);
    ~OnInitRun();

    // REQUIRES: called once; the run outlives the exit of the process, or the spawner is gone.
    void Start(std::shared_ptr<const pool::LaunchPlan> plan, Duration exec_timeout, Done done);

private:
    // One output of the process.
    class Output final : public net::StreamHandler {
    public:
        Output(OnInitRun& run, int descriptor);
        bool closed() const { return closed_; }

    private:
        std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
        void OnData(size_t size) override;
        void OnClosed(net::CloseReason reason) override;

        OnInitRun& run_;
        LineLog lines_;
        bool closed_ = false;
        net::Stream stream_;
    };

    void OnSpawned(Result<pool::Spawned> spawned);
    void OnTimeout();
    void OnExit(pool::ExitStatus status);
    void FinishIfEnded();

    pool::Spawner& spawner_;  // constant after construction, like log_
    log::Logger log_;
    std::string command_line_;
    Duration exec_timeout_{};
    std::unique_ptr<Output> out_;
    std::unique_ptr<Output> err_;
    net::Timer timer_;
    pid_t pid_ = 0;
    bool exited_ = false;
    bool timed_out_ = false;
    pool::ExitStatus status_;
    Done done_;
};

}  // namespace rr::server
