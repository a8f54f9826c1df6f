#include "cmd/rr/server.hpp"

#include <cstdio>
#include <thread>

#include "cmd/rr/pid_file.hpp"
#include "cmd/rr/plugins.hpp"
#include "cmd/rr/request_line.hpp"
#include "cmd/rr/validate.hpp"
#include "cmd/rr/version.hpp"
#include "core/api/reloadable.hpp"
#include "core/api/resettable.hpp"
#include "core/base/process.hpp"
#include "core/net/heritage.hpp"
#include "core/pool/services.hpp"

namespace rr::cmd {

namespace {

// Senders that signal twice in a row (timeout(1) does) mean one stop.
constexpr Duration kDebounce = std::chrono::milliseconds(100);

std::string RoundedSeconds(Duration time) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.0f", std::chrono::duration<double>(time).count());
    return text;
}

}  // namespace

Server::Server(const CommandContext& context)
    : context_(context),
      console_(context.options.silent),
      notifier_(Notifier::FromEnvironment()),
      invocation_(MakeInvocation(context)),
      main_("main") {}

Server::~Server() {
    signals_.reset();
    watchdog_.reset();
    container_.reset();
}

int Server::Run() {
    if (!Prepare()) {
        if (context_.options.pid) {
            RemovePidFile(kPidFile, process::Pid());  // of the program that we replaced
        }
        return 1;
    }
    container_->Start([this](Result<void> started) { OnStarted(std::move(started)); });
    main_.Run();
    return Finish();
}

// ---- start -------------------------------------------------------------------------------------

bool Server::Prepare() {
    net::HoldSignals();
    hangup_stops_ = process::HasControllingTerminal();
    net::heritage::Receive();
    if (!LoadConfig() || !BuildContainer()) {
        return false;
    }
    if (context_.options.pid) {
        if (auto written = WritePidFile(kPidFile, process::Pid()); !written) {
            Report(written.error().message);
            return false;
        }
        wrote_pid_ = true;
    }
    signals_ =
        std::make_unique<net::Signals>(main_, [this](net::Signal signal) { OnSignal(signal); });
    container_->OnFail(
        [this](const std::string& plugin, const Error& error) { OnFailed(plugin, error); });
    container_->OnStopRequest([this] {
        if (phase_ < Phase::kStopping) {
            BeginStop();
        }
    });
    return true;
}

bool Server::LoadConfig() {
    auto loaded = config::Config::Load(ConfigOptions(context_));
    if (!loaded) {
        bool ours = loaded.error().code == Errc::kConfig;
        Console::Error((ours ? "" : "handle_serve_command: ") + loaded.error().message);
        return false;
    }
    config_ = std::move(*loaded);
    program_ = ReadProgramConfig(*config_, std::thread::hardware_concurrency());
    if (!program_.bad_log_level.empty()) {
        console_.Line(
            "[WARN] Failed to parse log level, using default (error): unknown log level \"" +
            program_.bad_log_level + "\" (allowed: debug, info, warn, error)");
    }
    bool colours = log::ColoursWanted() && context_.options.log_format != "plain";
    auto log = log::Log::Open(log::ParseLogConfig(config_->Get("logs")), colours);
    if (!log) {
        Report(log.error().message);
        return false;
    }
    log_ = std::move(*log);
    if (context_.options.verbose || context_.options.debug) {
        log_->SetLevel(log::Level::kDebug);
    }
    return true;
}

bool Server::BuildContainer() {
    auto order = SortPlugins(PluginTable());
    if (!order) {
        Report(order.error().message);
        return false;
    }
    if (program_.print_graph) {
        std::fputs(PluginGraph(*order).c_str(), stderr);
    }
    container_ = std::make_unique<ServerContainer>(
        main_, program_.loops, [this](std::string_view name) { return log_->Get(name); }, *order);
    container_->Publish(invocation_);
    if (context_.options.watch) {
        screen_ = std::make_unique<WatchScreen>(main_, console_, container_->Events());
    }
    container_->Publish(*log_);
    container_->Publish(*config_);
    if (context_.options.debug) {
        container_->Events().request.Subscribe([log = log_->Get("http")](const RequestEvent& e) {
            if (e.phase == RequestPhase::kFinished) {
                log.Info(RequestLine(e));
            }
        });
    }
    std::vector<std::string> problems = InitAll(*container_, *config_, false);
    for (const std::string& problem : problems) {
        Console::Error(problem);
    }
    for (const std::string& warning : config_->warnings()) {
        log_->Get("config").Warn(warning);
    }
    return problems.empty();
}

void Server::OnStarted(Result<void> started) {
    if (!started) {
        Report(started.error().message);
        failed_ = true;
        if (phase_ == Phase::kStarting) {
            BeginStop();
        }
        return;
    }
    phase_ = Phase::kServing;
    net::heritage::Drop();
    PrintBanner();
    console_.Line("[INFO] RoadRunner server started; version: " + CompatibleVersion() +
                  ", buildtime: " + BuildTime());
    NotifyReady();
}

void Server::PrintBanner() {
    std::string pid = std::to_string(process::Pid());
    console_.Line(console_.Bold("rr " + OwnVersion()) + ", pid " + pid + ", " +
                  context_.around.config_file);
    for (const std::string& line : container_->announcements()) {
        console_.Line("  " + line);
    }
    if (container_->announcements().empty()) {
        console_.Line(
            "  nothing is served: the configuration has no section that serves, such as http");
    }
    console_.Line(console_.Dim("  stop: Ctrl-C or kill " + pid + "   new workers: kill -USR1 " +
                               pid + "   check a changed configuration: rr check"));
}

void Server::NotifyReady() {
    if (!notifier_.enabled()) {
        return;
    }
    if (auto sent = notifier_.Send("READY=1"); !sent) {
        console_.Line("[WARN] sdnotify: " + sent.error().message);
        return;
    }
    console_.Line("[INFO] sdnotify: notified");
    if (program_.watchdog_sec == 0) {
        return;
    }
    console_.Line("[INFO] sdnotify: watchdog enabled, timeout: " +
                  std::to_string(program_.watchdog_sec) + " seconds");
    watchdog_ = std::make_unique<net::Timer>(main_, [this] { Notify("WATCHDOG=1"); });
    watchdog_->Repeat(std::chrono::milliseconds(program_.watchdog_sec * 500));
}

// ---- signals -----------------------------------------------------------------------------------

void Server::OnSignal(net::Signal signal) {
    switch (signal) {
        case net::Signal::kUser1: ResetAll(); return;
        case net::Signal::kUser2: Restart(); return;
        case net::Signal::kHangup:
            if (!hangup_stops_) {
                Reload();
                return;
            }
            [[fallthrough]];
        default: OnStopSignal();
    }
}

void Server::OnStopSignal() {
    Instant now = Clock::now();
    if (first_stop_signal_) {
        if (now - *first_stop_signal_ >= kDebounce) {
            console_.Line("exit forced");
            EndNow(1);
        }
        return;
    }
    first_stop_signal_ = now;
    if (replace_) {  // a stop wins over the restart that is under way
        replace_ = false;
        net::heritage::Forget();
    }
    console_.Line("stop signal received, grace timeout is: " +
                  RoundedSeconds(program_.grace_period) + " seconds");
    if (phase_ < Phase::kStopping) {
        BeginStop();
    }
    Notify("STOPPING=1");
}

void Server::ResetAll() {
    if (phase_ != Phase::kServing) {
        return;
    }
    auto plugins = container_->Each<Resettable>();
    if (plugins.empty()) {
        return;
    }
    Notify("RELOADING=1");
    // One that is under way may have read the old code: the pools run another one after it.
    resets_pending_ += plugins.size();
    for (Resettable* plugin : plugins) {
        plugin->Reset([this](const Result<void>& result) { OnReset(result); });
    }
}

// How a reset went is told by its event; here it only matters that it is over.
void Server::OnReset(const Result<void>&) {
    if (--resets_pending_ == 0 && phase_ == Phase::kServing) {
        Notify("READY=1");
    }
}

void Server::Reload() {
    log_->Reopen();
    log_->Get("server").Info("files are opened anew");
    for (Reloadable* plugin : container_->Each<Reloadable>()) {
        if (auto reloaded = plugin->Reload(); !reloaded) {
            log_->Get("server").Error("reload failed", {{"error", reloaded.error().message}});
        }
    }
}

// Why a successor could not serve; empty: nothing is known against it.
std::string Server::RestartObstacle() const {
    if (!process::Executable(context_.around.executable)) {
        return context_.around.executable + " cannot be executed";
    }
    std::string text;
    for (const std::string& problem : Validate(context_).problems) {
        text += (text.empty() ? "" : "\n") + problem;
    }
    return text;
}

void Server::Restart() {
    if (phase_ != Phase::kServing) {
        return;
    }
    console_.Line("restart signal [SIGUSR2] received");
    if (std::string reason = RestartObstacle(); !reason.empty()) {
        console_.Line("restart refused, this server goes on:\n" + reason);
        log_->Get("server").Error("restart refused", {{"error", reason}});
        return;
    }
    replace_ = true;
    net::heritage::Keep();
    Notify("RELOADING=1");
    BeginStop();
}

// ---- end ---------------------------------------------------------------------------------------

void Server::BeginStop() {
    bool starting = phase_ == Phase::kStarting;
    phase_ = Phase::kStopping;
    watchdog_.reset();
    if (starting && !failed_) {
        // Nothing was accepted yet: workers that still boot need not be waited for.
        if (auto* services = container_->Get<pool::Services>()) {
            services->spawner->KillAll();
        }
    }
    container_->Stop(program_.grace_period,
                     [this](ServerContainer::Outcome outcome) { OnStopped(outcome); });
}

void Server::OnFailed(const std::string& plugin, const Error& error) {
    if (!failed_) {
        Console::Error("error: " + error.message + "\nplugin: " + plugin);
    }
    failed_ = true;
    if (phase_ < Phase::kStopping) {
        Notify("STOPPING=1");
        BeginStop();
    }
}

void Server::OnStopped(ServerContainer::Outcome outcome) {
    outcome_ = outcome;
    phase_ = Phase::kEnded;
    main_.Stop();
}

int Server::Finish() {
    if (wrote_pid_ && !replace_) {
        RemovePidFile(kPidFile, process::Pid());
    }
    if (outcome_.lost) {
        Console::Error("error: context deadline exceeded");
    }
    int code = failed_ || outcome_.lost ? 1 : 0;
    if (outcome_.abandoned && !replace_) {
        EndNow(code);
    }
    if (!outcome_.abandoned) {
        signals_.reset();
        main_.RunUntil([] { return true; });  // what plugins still posted, while they live
        container_.reset();
    }
    return replace_ ? Replace() : code;
}

int Server::Replace() {
    net::HoldSignals();  // the successor gets what comes meanwhile
    log_->Flush();
    // By its whole path: we have changed the directory, and the successor may be replaced again.
    std::vector<std::string> arguments = {context_.around.executable};
    for (std::string& argument :
         SuccessorArguments(context_.arguments, context_.options, context_.around)) {
        arguments.push_back(std::move(argument));
    }
    std::vector<std::string> environment = context_.around.environment;
    std::string heritage = net::heritage::Variable();
    std::string name = heritage.substr(0, heritage.find('=') + 1);
    std::erase_if(environment, [&name](const std::string& one) { return one.starts_with(name); });
    environment.push_back(std::move(heritage));
    Error failure = process::Replace(context_.around.executable, arguments, environment);
    console_.Line("restart failed: " + failure.message);
    if (wrote_pid_) {
        RemovePidFile(kPidFile, process::Pid());
    }
    EndNow(1);
}

void Server::EndNow(int code) {
    if (wrote_pid_) {
        RemovePidFile(kPidFile, process::Pid());
    }
    log_->Flush();
    process::ExitNow(code);
}

void Server::Report(const std::string& text) { Console::Error("handle_serve_command: " + text); }

void Server::Notify(std::string_view state) {
    if (auto sent = notifier_.Send(state); !sent) {
        log_->Get("server").Warn("sdnotify failed", {{"error", sent.error().message}});
    }
}

int Serve(const CommandContext& context) { return Server(context).Run(); }

}  // namespace rr::cmd
