#include "plugins/status/plugin.hpp"

#include <optional>
#include <string>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "core/web/endpoint.hpp"
#include "plugins/status/config.hpp"
#include "plugins/status/probe.hpp"
#include "plugins/status/service.hpp"

namespace rr::status {
namespace {

// StatusPlugin: life cycle only. It is the first row of the plugin table: served before all others
// and stopped behind them, so that it can tell how the others start and stop.
//
// Thread: main.
class StatusPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("status");
        config_ = ParseStatusConfig(section, config.legacy());
        if (!section.present()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("status");
        container.Publish<RpcService>(service_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        probe_.emplace(config_, container_->Each<WorkerGroup>());
        service_.Open(*probe_, *container_);
        auto endpoint =
            web::Endpoint::Open(container_->MainLoop(), config_.address, {}, log_,
                                [this](const web::Request& request, web::Responder responder) {
                                    responder.Send(probe_->Answer(request, container_->draining()));
                                });
        if (!endpoint) {
            served(Forward(endpoint, "status.address"));
            return;
        }
        endpoint_ = std::move(*endpoint);
        container_->Announce("status " + endpoint_->Url());
        log_.Debug("status server was started", {{"address", endpoint_->address().ToString()}});
        served({});
    }

    void Stop(Deadline, Callback<void()> done) override {
        endpoint_.reset();
        done();
    }

private:
    Container* container_ = nullptr;
    log::Logger log_;
    StatusConfig config_;  // constant after Init
    StatusService service_;
    std::optional<Probe> probe_;
    std::unique_ptr<web::Endpoint> endpoint_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<StatusPlugin>(); }

}  // namespace rr::status
