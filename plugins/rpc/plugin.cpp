#include "plugins/rpc/plugin.hpp"

#include <optional>
#include <string>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/config/config.hpp"
#include "core/net/listener.hpp"
#include "core/rpc/methods.hpp"
#include "plugins/rpc/builtin.hpp"
#include "plugins/rpc/config.hpp"
#include "plugins/rpc/server.hpp"

namespace rr::rpc {
namespace {

// RpcPlugin: life cycle only.
//
// It goes on serving while the others drain: requests that are finished then may need it.
class RpcPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        config::Section section = config.Get("rpc");
        config_ = ParseRpcConfig(section);
        if (!section.present()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("rpc");
        const auto* invocation = container.Get<Invocation>();
        info_.Set(invocation != nullptr ? invocation->version : "", config.ToJson());
        system_.emplace([this] { container_->RequestStop(); });
        container.Publish<RpcService>(info_);
        container.Publish<RpcService>(*system_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        auto listener = net::Listener::Bind(container_->MainLoop(), config_.listen, {});
        if (!listener) {
            served(Forward(listener, "rpc.listen"));
            return;
        }
        for (RpcService* service : container_->Each<RpcService>()) {
            methods_.Add(*service);
        }
        std::string address = (*listener)->address().ToString();
        container_->Announce("rpc    " + address);
        server_ = std::make_unique<RpcServer>(container_->MainLoop(), config_, methods_, log_);
        server_->Accept(std::move(*listener));
        log_.Debug("plugin was started", {{"address", address}, {"services", ServiceNames()}});
        served({});
    }

    void Stop(Deadline deadline, Callback<void()> done) override {
        if (!server_) {
            done();
            return;
        }
        server_->Close(deadline, std::move(done));
    }

private:
    std::string ServiceNames() const {
        std::string names;
        for (const std::string& name : methods_.services()) {
            names.append(names.empty() ? "" : ", ").append(name);
        }
        return names;
    }

    Container* container_ = nullptr;
    log::Logger log_;
    RpcConfig config_;  // constant after Init
    RpcInfo info_;
    std::optional<SystemService> system_;
    Methods methods_;
    std::unique_ptr<RpcServer> server_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<RpcPlugin>(); }

}  // namespace rr::rpc
