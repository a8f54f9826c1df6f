#include "plugins/hooks/plugin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "core/pool/services.hpp"
#include "plugins/hooks/background.hpp"
#include "plugins/hooks/config.hpp"
#include "plugins/hooks/runner.hpp"
#include "plugins/hooks/variables.hpp"

namespace rr::hooks {
namespace {

constexpr Duration kNoLimit = Duration::max();

class HooksPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("hooks");
        config_ = ParseHooksConfig(section);
        if (config_.empty()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("hooks");
        const auto* services = container.Get<pool::Services>();
        if (services == nullptr) {
            log_.Info("plugin is disabled", {{"missing", "server"}});
            return false;
        }
        runner_.emplace(container.MainLoop(), *services->spawner, services->settings, log_);
        background_.emplace(container.MainLoop(), *runner_, log_,
                            [this](Error error) { container_->Fail("hooks", std::move(error)); });
        Subscribe(container.Events());
        return true;
    }

    // server_starting runs to its end before the plugins behind this one are served.
    void Serve(Callback<void(Result<void>)> served) override {
        const Hook* hook = config_.Of(Event::kServerStarting);
        if (hook == nullptr) {
            served({});
            return;
        }
        runner_->Run(Event::kServerStarting, *hook, Describe(Event::kServerStarting), kNoLimit,
                     [this, served = std::move(served), hook](Result<void> result) mutable {
                         served(Judge(*hook, std::move(result)));
                     });
    }

    void Drain(Deadline deadline, Callback<void()> done) override {
        const Hook* hook = config_.Of(Event::kServerStopping);
        if (hook == nullptr) {
            done();
            return;
        }
        runner_->Run(Event::kServerStopping, *hook, Describe(Event::kServerStopping),
                     std::max(Duration::zero(), Duration(deadline - Clock::now())),
                     [this, done = std::move(done), hook](Result<void> result) mutable {
                         if (auto judged = Judge(*hook, std::move(result)); !judged) {
                             container_->Fail("hooks", std::move(judged.error()));
                         }
                         done();
                     });
    }

    void Stop(Deadline deadline, Callback<void()> done) override {
        background_->Stop();
        runner_->Close(deadline, std::move(done));
    }

private:
    // An event without a command keeps its channel free, where nobody else listens.
    template <class Channel>
    void Listen(Channel& channel, std::initializer_list<Event> events) {
        if (std::none_of(events.begin(), events.end(),
                         [this](Event event) { return config_.Of(event) != nullptr; })) {
            return;
        }
        channel.Subscribe([this](const auto& happened) {
            const Event event = KindOf(happened);
            if (const Hook* hook = config_.Of(event)) {
                background_->Run(event, *hook, [&] { return Describe(happened); });
            }
        });
    }

    // server_starting and server_stopping are not run by their event: they have a place in the
    // life of this plugin.
    void Subscribe(EventBus& events) {
        if (config_.Of(Event::kServerStarted) != nullptr) {
            events.server.Subscribe([this](const ServerEvent& happened) {
                if (happened.phase == ServerPhase::kStarted) {
                    background_->Run(Event::kServerStarted, *config_.Of(Event::kServerStarted),
                                     [&] { return Describe(happened); });
                }
            });
        }
        Listen(events.worker, {Event::kWorkerSpawned, Event::kWorkerReady, Event::kWorkerStopped,
                               Event::kWorkerExited, Event::kWorkerFailed, Event::kWorkerRecycled});
        Listen(events.reset, {Event::kResetBegun, Event::kResetDone, Event::kResetFailed});
        Listen(events.request, {Event::kRequestBegun, Event::kRequestFinished});
        Listen(events.connection, {Event::kConnectionOpened, Event::kConnectionClosed});
    }

    // What a failure means for the server; a harmless one is a record and no more.
    Result<void> Judge(const Hook& hook, Result<void> result) {
        if (result || hook.stop_on_failure) {
            return result;
        }
        log_.Warn("hook failed", {{"error", result.error().message}});
        return {};
    }

    Container* container_ = nullptr;
    log::Logger log_;
    HooksConfig config_;  // constant after Init
    std::optional<Runner> runner_;
    std::optional<Background> background_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<HooksPlugin>(); }

}  // namespace rr::hooks
