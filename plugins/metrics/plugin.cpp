#include "plugins/metrics/plugin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/metric_source.hpp"
#include "core/config/config.hpp"
#include "core/web/endpoint.hpp"
#include "plugins/metrics/config.hpp"
#include "plugins/metrics/exposition.hpp"
#include "plugins/metrics/http_metrics.hpp"
#include "plugins/metrics/pool_metrics.hpp"
#include "plugins/metrics/process_metrics.hpp"
#include "plugins/metrics/service.hpp"
#include "plugins/metrics/source_metrics.hpp"
#include "plugins/metrics/store.hpp"

namespace rr::metrics {
namespace {

// Above this many series the text is written by a helper thread: it would hold the main loop, and
// with it health checks, for too long.
constexpr size_t kSeriesOnLoop = 2000;

// MetricsPlugin: life cycle, and the way of a scrape: ask the pools, collect, write, answer.
//
// Thread: main; OnRequest of the HTTP counters on any.
class MetricsPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("metrics");
        config_ = ParseMetricsConfig(section);
        if (!section.present()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("metrics");
        store_.emplace(config_.max_series);
        service_.Open(*store_);
        container.Publish<RpcService>(service_);
        if (config.Get("http").present()) {
            http_.emplace();
            container.Events().request.Subscribe([this](const RequestEvent& event) {
                if (event.plugin == "http") {
                    http_->OnRequest(event);
                }
            });
        }
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        pools_.emplace(container_->MainLoop(), container_->Each<WorkerGroup>());
        sources_ = container_->Each<MetricSource>();
        Result<void> declared = DeclareAll();
        if (!declared) {
            served(std::move(declared));
            return;
        }
        auto endpoint = web::Endpoint::Open(container_->MainLoop(), config_.address, {}, log_,
                                            [this](const web::Request&, web::Responder responder) {
                                                Scrape(std::move(responder));
                                            });
        if (!endpoint) {
            served(Forward(endpoint, "metrics.address"));
            return;
        }
        endpoint_ = std::move(*endpoint);
        container_->Announce("metrics " + endpoint_->Url());
        log_.Debug("metrics server was started", {{"address", endpoint_->address().ToString()}});
        served({});
    }

    void Stop(Deadline, Callback<void()> done) override {
        endpoint_.reset();
        pools_.reset();
        done();
    }

private:
    // What the configuration asks for; names of ours are known from here on.
    Result<void> DeclareAll() {
        std::vector<std::string> reserved = ProcessNames();
        for (std::string& name : pools_->Names()) {
            reserved.push_back(std::move(name));
        }
        for (std::string& name : HttpMetrics::Names()) {
            reserved.push_back(std::move(name));
        }
        for (std::string& name : SourceNames(sources_)) {
            reserved.push_back(std::move(name));
        }
        for (std::string& name : reserved) {
            store_->Reserve(std::move(name));
        }
        for (const Definition& definition : config_.collect) {
            if (auto declared = store_->Declare(definition); !declared) {
                return Forward(declared, "metrics.collect." + definition.name);
            }
        }
        return {};
    }

    void Scrape(web::Responder responder) {
        pools_->Refresh(
            [this, responder = std::move(responder)]() mutable { Write(std::move(responder)); });
    }

    void Write(web::Responder responder) {
        std::vector<prometheus::MetricFamily> families;
        CollectProcess(families);
        pools_->Collect(families);
        if (http_) {
            http_->Collect(families);
        }
        CollectSources(sources_, families);
        store_->Collect(families);
        if (store_->series() <= kSeriesOnLoop) {
            responder.Send({200, Exposition(std::move(families)), kContentType});
            return;
        }
        // Shared: the work and what follows it are two callbacks.
        auto text = std::make_shared<std::string>();
        container_->MainLoop().Offload(
            [text, families = std::move(families)]() mutable {
                *text = Exposition(std::move(families));
            },
            [text, responder = std::move(responder)]() mutable {
                responder.Send({200, std::move(*text), kContentType});
            });
    }

    Container* container_ = nullptr;
    log::Logger log_;
    MetricsConfig config_;  // constant after Init
    MetricsService service_;
    std::optional<Store> store_;
    std::optional<HttpMetrics> http_;  // absent without an http section
    std::optional<PoolMetrics> pools_;
    std::vector<MetricSource*> sources_;  // constant after Serve
    std::unique_ptr<web::Endpoint> endpoint_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<MetricsPlugin>(); }

}  // namespace rr::metrics
