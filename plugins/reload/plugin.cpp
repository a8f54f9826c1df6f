#include "plugins/reload/plugin.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/api/resettable.hpp"
#include "core/config/config.hpp"
#include "core/pool/services.hpp"
#include "plugins/reload/config.hpp"
#include "plugins/reload/defaults.hpp"
#include "plugins/reload/watcher.hpp"

namespace rr::reload {
namespace {

// Of `--watch`: long enough for an editor's few steps, too short to wait for.
constexpr Duration kQuick = std::chrono::milliseconds(200);

// `http` stands for `http.slow` too; nothing for all.
bool Means(std::string_view service, std::string_view target) {
    return service.empty() || target == service ||
           (target.starts_with(service) && target[service.size()] == '.');
}

class ReloadPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        container_ = &container;
        log_ = container.Log("reload");
        const auto* invocation = container.Get<Invocation>();
        config::Section section = config.Get("reload");
        config_ = ParseReloadConfig(section, invocation != nullptr ? invocation->directory : "");
        if (section.present()) {
            config.AfterInit([this, &config] { CheckNames(config.Get("reload")); });
        } else if (invocation != nullptr && invocation->watch) {
            config_.interval = kQuick;
            config_.services = {{"", WatchDefaults(invocation->directory, Commands())}};
        } else {
            return false;
        }
        container.Events().server.Subscribe([this](const ServerEvent& event) { OnPhase(event); });
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        targets_ = container_->Each<Resettable>();
        watcher_.emplace(container_->MainLoop(), config_.interval, config_.services, log_,
                         [this](const std::vector<Bursts::Touched>& touched) { OnDue(touched); });
        std::string folders = std::to_string(watcher_->folders());
        container_->Announce("reload " + folders + (folders == "1" ? " folder" : " folders") +
                             " watched for changes");
        served({});
    }

    void Stop(Deadline, Callback<void()> done) override {
        watcher_.reset();
        done();
    }

private:
    // What else starts workers than server.command is not asked for: its folder is most often the same.
    std::vector<std::vector<std::string>> Commands() const {
        const auto* services = container_->Get<pool::Services>();
        std::vector<std::vector<std::string>> commands;
        if (services != nullptr) {
            commands.push_back(services->settings.command);
        }
        return commands;
    }

    void CheckNames(const config::Section& section) const {
        for (const ReloadConfig::Service& service : config_.services) {
            std::string known;
            bool found = false;
            for (const Resettable* target : container_->Each<Resettable>()) {
                known.append(known.empty() ? "" : ", ").append(target->reset_name());
                found = found || Means(service.plugin, target->reset_name());
            }
            if (!found) {
                section.Sub("services")
                    .Warning(service.plugin, "no plugin of this name has workers" +
                                                 (known.empty() ? "" : "; there are " + known));
            }
        }
    }

    void OnPhase(const ServerEvent& event) {
        serving_ = event.phase == ServerPhase::kStarted;
        if (serving_) {
            OnDue(std::exchange(early_, {}));
        }
    }

    void OnDue(const std::vector<Bursts::Touched>& touched) {
        if (!serving_) {  // what boots now may have read the old code
            early_.insert(early_.end(), touched.begin(), touched.end());
            return;
        }
        for (Resettable* target : targets_) {
            auto why = std::find_if(touched.begin(), touched.end(), [&](const auto& one) {
                return Means(config_.services[one.service].plugin, target->reset_name());
            });
            if (why != touched.end()) {
                Reset(*target, *why);
            }
        }
    }

    void Reset(Resettable& target, const Bursts::Touched& why) {
        std::string name(target.reset_name());
        log_.Info("files have changed, new workers are started",
                  {{"plugin", name}, {"changes", why.changes}, {"first", why.first}});
        // How it ended is told by its events; one that failed leaves the old workers where they are.
        target.Reset([log = log_, name](Result<void> result) {
            if (!result) {
                log.Debug("reset failed", {{"plugin", name}, {"error", result.error().message}});
            }
        });
    }

    // Constant after Init, but for targets_, after Serve.
    Container* container_ = nullptr;
    log::Logger log_;
    ReloadConfig config_;
    std::vector<Resettable*> targets_;

    std::optional<Watcher> watcher_;
    bool serving_ = false;
    std::vector<Bursts::Touched> early_;  // due before the server serves
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<ReloadPlugin>(); }

}  // namespace rr::reload
