#include "plugins/service/plugin.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/config/config.hpp"
#include "core/pool/services.hpp"
#include "plugins/service/service_rpc.hpp"
#include "plugins/service/supervisor.hpp"

namespace rr::service {
namespace {

class ServicePlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("service");
        configured_ = ParseServices(section);
        if (!section.present()) {
            return false;
        }
        supervisor_.emplace(
            container.MainLoop(), FindSpawner(container), Settings(config, container),
            [&container](std::string_view channel) { return container.Log(channel); });
        rpc_.emplace(*supervisor_);
        container.Publish<RpcService>(*rpc_);
        container.Publish<WorkerGroup>(*supervisor_);
        container.Publish<Resettable>(*supervisor_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        supervisor_->Start(std::move(configured_));
        served({});
    }

    // Not in Drain: requests that still run may need a service.
    void Stop(Deadline deadline, Callback<void()> done) override {
        supervisor_->Stop(deadline, std::move(done));
    }

private:
    // The server's own, if there are workers; its processes are ended with it in every emergency.
    pool::Spawner& FindSpawner(Container& container) {
        if (const auto* services = container.Get<pool::Services>()) {
            return *services->spawner;
        }
        own_spawner_ = pool::Spawner::Make(container.MainLoop());
        return *own_spawner_;
    }

    static pool::ServerSettings Settings(config::Config& config, Container& container) {
        if (const auto* services = container.Get<pool::Services>()) {
            return services->settings;
        }
        pool::ServerSettings settings;
        settings.rpc = config.Get("rpc").String("listen", "");
        if (const auto* invocation = container.Get<Invocation>()) {
            settings.version = invocation->version;
            settings.directory = invocation->directory;
            settings.dotenv = invocation->dotenv;
            settings.dotenv_names = invocation->dotenv_names;
        }
        return settings;
    }

    std::vector<ServiceConfig> configured_;  // until Serve
    std::unique_ptr<pool::Spawner> own_spawner_;
    std::optional<Supervisor> supervisor_;
    std::optional<ServiceRpc> rpc_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<ServicePlugin>(); }

}  // namespace rr::service
