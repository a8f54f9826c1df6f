#include "plugins/server/plugin.hpp"

#include <utility>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/api/rpc.hpp"
#include "core/config/config.hpp"
#include "core/pool/hub.hpp"
#include "core/pool/services.hpp"
#include "plugins/server/config.hpp"
#include "plugins/server/on_init.hpp"

namespace rr::server {

namespace {

class ServerPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& c) override {
        config::Section section = config.Get("server");
        config_ = ParseServerConfig(section);
        if (!section.present()) {
            return false;
        }
        spawner_ = pool::Spawner::Make(c.MainLoop());
        services_.main = &c.MainLoop();
        services_.spawner = spawner_.get();
        services_.events = &c.Events();
        services_.log = c.Log("server");
        services_.settings = Settings(config, c);
        const auto* invocation = c.Get<Invocation>();
        services_.watch = invocation != nullptr && invocation->watch;
        c.Publish(services_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        Result<pool::Hub> hub = pool::OpenHub(*services_.main, services_.settings);
        if (!hub) {
            served(Forward(hub));
            return;
        }
        hub_ = std::move(*hub);
        services_.hub = hub_.get();
        if (!config_.on_init) {
            served({});
            return;
        }
        served_ = std::move(served);
        RunOnInit();
    }

    // Pools have closed by now: what still lives is nobody's.
    void Stop(Deadline, Callback<void()> done) override {
        spawner_->KillAll();
        services_.hub = nullptr;
        hub_.reset();
        done();
    }

private:
    pool::ServerSettings Settings(config::Config& config, Container& c) const {
        pool::ServerSettings s;
        s.command = config_.command;
        s.env = config_.env;
        s.user = config_.user;
        s.group = config_.group;
        s.relay = config_.relay;
        s.protocol = config_.protocol;
        config::Section rpc = config.Get("rpc");
        s.rpc = rpc.String("listen", rpc.present() ? kDefaultRpcListen : "");  // verbatim
        if (const auto* invocation = c.Get<Invocation>()) {
            s.version = invocation->version;
            s.directory = invocation->directory;
            s.dotenv = invocation->dotenv;
            s.dotenv_names = invocation->dotenv_names;
        }
        return s;
    }

    void RunOnInit() {
        auto plan = pool::Resolve(OnInitSettings(services_.settings, *config_.on_init),
                                  config_.on_init->command, {});
        if (!plan) {
            OnInitDone(Forward(plan, "on_init"));
            return;
        }
        on_init_ = std::make_unique<OnInitRun>(*services_.main, *spawner_, services_.log);
        on_init_->Start(std::move(*plan), config_.on_init->exec_timeout,
                        [this](Result<void> result) { OnInitDone(std::move(result)); });
    }

    void OnInitDone(Result<void> result) {
        Callback<void(Result<void>)> served = std::move(served_);
        if (result || config_.on_init->exit_on_error || spawner_->ending()) {
            served(std::move(result));
            return;
        }
        services_.log.Error("on_init failed, the start goes on",
                            {{"error", result.error().message}});
        served({});
    }

    ServerConfig config_;
    pool::Services services_;
    std::unique_ptr<pool::Spawner> spawner_;
    pool::Hub hub_;
    std::unique_ptr<OnInitRun> on_init_;
    Callback<void(Result<void>)> served_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<ServerPlugin>(); }

}  // namespace rr::server
