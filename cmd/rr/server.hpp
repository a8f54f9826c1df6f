// Server: one run of `rr serve`, from the configuration to the exit code.
//
// Signals: INT, TERM, QUIT, ABRT stop gracefully, a second one (100 ms later or more) ends at once;
// USR1 resets every plugin's workers; USR2 stops and starts anew in the same process; HUP reopens
// files, or stops if there was a terminal that could hang up.
//
// Thread: main.
// Owns:   loop, log, container, pid file.
// Fails:  by exit code 1 and a text on standard error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/container.hpp"
#include "cmd/rr/settings.hpp"
#include "cmd/rr/watch_screen.hpp"
#include "core/api/invocation.hpp"
#include "core/base/sd_notify.hpp"
#include "core/config/config.hpp"
#include "core/log/log.hpp"
#include "core/net/signals.hpp"
#include "core/net/timer.hpp"

namespace rr::cmd {

class Server {
public:
    explicit Server(const CommandContext& context);
    ~Server();

    // The exit code. With a replacement asked for (SIGUSR2) it comes back only if that failed.
    int Run();

private:
    enum class Phase : uint8_t { kStarting, kServing, kStopping, kEnded };

    // Start.
    bool Prepare();
    bool LoadConfig();
    bool BuildContainer();
    void OnStarted(Result<void> started);
    void PrintBanner();
    void NotifyReady();

    // Signals.
    void OnSignal(net::Signal signal);
    void OnStopSignal();
    void ResetAll();
    void OnReset(const Result<void>& result);
    void Reload();
    std::string RestartObstacle() const;
    void Restart();

    // End.
    void BeginStop();
    void OnFailed(const std::string& plugin, const Error& error);
    void OnStopped(ServerContainer::Outcome outcome);
    int Finish();
    int Replace();
    [[noreturn]] void EndNow(int code);

    void Report(const std::string& text);
    void Notify(std::string_view state);

    const CommandContext& context_;
    Console console_;
    Notifier notifier_;
    Invocation invocation_;
    ProgramConfig program_;
    bool hangup_stops_ = false;
    bool wrote_pid_ = false;

    Loop main_;
    std::unique_ptr<config::Config> config_;
    std::unique_ptr<log::Log> log_;        // behind everything that logs
    std::unique_ptr<WatchScreen> screen_;  // --watch
    std::unique_ptr<ServerContainer> container_;
    std::unique_ptr<net::Signals> signals_;
    std::unique_ptr<net::Timer> watchdog_;

    Phase phase_ = Phase::kStarting;
    bool failed_ = false;
    bool replace_ = false;
    std::optional<Instant> first_stop_signal_;
    ServerContainer::Outcome outcome_;
    size_t resets_pending_ = 0;
};

}  // namespace rr::cmd
