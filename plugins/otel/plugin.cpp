#include "plugins/otel/plugin.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/api/metric_source.hpp"
#include "core/config/config.hpp"
#include "core/net/timer.hpp"
#include "plugins/otel/budget.hpp"
#include "plugins/otel/config.hpp"
#include "plugins/otel/exporter.hpp"
#include "plugins/otel/sinks.hpp"
#include "plugins/otel/tracing.hpp"

namespace rr::otel {
namespace {

// OtelPlugin: life cycle, and the way of spans: data loops collect them, hand them over when they are
// many or asked to, main exports them, and the loops get the memory back.
class OtelPlugin final : public Plugin, public MetricSource {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("otel");
        config_ = ParseOtelConfig(section, OwnEnvironment());
        const config::Section http = config.Get("http");
        if (!section.present() || !http.present()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("otel");
        budget_.emplace(config_.queue);
        tracing_.emplace(config_.sampler, config_.batch, *budget_,
                         [this](Batch batch) { OnFull(std::move(batch)); });
        container.Publish<HttpMiddleware>(*tracing_);
        const std::vector<std::string> listed = http.List("middleware");
        listed_ = std::find(listed.begin(), listed.end(), "otel") != listed.end();
        if (listed_) {
            container.Publish<MetricSource>(*this);
        }
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        if (!listed_) {
            served({});
            return;
        }
        auto sink = OpenSink(config_, MakeResource());
        if (!sink) {
            served(Forward(sink, "otel"));
            return;
        }
        exporter_.emplace(
            container_->MainLoop(), log_, std::move(*sink), *budget_,
            [this](Batch used) { OnUsed(std::move(used)); }, Exporter::Pace());
        tick_.emplace(container_->MainLoop(), [this] { AskLoops([] {}); });
        tick_->Repeat(config_.delay);
        served({});
    }

    // http has stopped: no request ends any more.
    void Stop(Deadline deadline, Callback<void()> done) override {
        if (!exporter_) {
            done();
            return;
        }
        stopping_ = true;
        tick_.reset();
        stopped_ = std::move(done);
        missing_ = container_->DataLoops();
        AskLoops([this, deadline] {
            container_->MainLoop().Post([this, deadline] {
                if (--missing_ == 0) {
                    exporter_->Flush(deadline, [this] { std::exchange(stopped_, nullptr)(); });
                }
            });
        });
    }

    void Collect(std::vector<MetricFamily>& families) const override {
        const auto add = [&](const char* name, const char* help, MetricFamily::Kind kind,
                             uint64_t value) {
            families.push_back({name, help, kind, {{{}, static_cast<double>(value)}}});
        };
        using Kind = MetricFamily::Kind;
        add("rr_otel_spans_exported_total", "Spans that the collector took", Kind::kCounter,
            budget_->exported());
        add("rr_otel_spans_dropped_total",
            "Spans that nobody took: too many waited, or the collector refused them",
            Kind::kCounter, budget_->dropped());
        add("rr_otel_spans_waiting", "Spans that are not exported yet", Kind::kGauge,
            budget_->waiting());
    }

private:
    Resource MakeResource() const {
        const auto* invocation = container_->Get<Invocation>();
        Resource resource;
        resource.attributes = config_.resource;
        resource.scope_version = invocation != nullptr ? invocation->version : "";
        const auto add = [&](const char* key, std::string value) {
            if (resource.Get(key).empty()) {
                resource.attributes.emplace_back(key, std::move(value));
            }
        };
        add("webengine.name", "RoadRunner");
        add("webengine.version", resource.scope_version);
        add("os.name", "linux");
#if defined(__x86_64__)
        add("host.arch", "amd64");
#elif defined(__aarch64__)
        add("host.arch", "arm64");
#endif
        add("telemetry.sdk.name", "rr");
        add("telemetry.sdk.language", "cpp");
        add("telemetry.sdk.version", resource.scope_version);
        return resource;
    }

    // On every data loop: hand over what there is; then `then`, there.
    template <class Then>
    void AskLoops(Then then) {
        for (size_t i = 0; i < container_->DataLoops(); ++i) {
            container_->DataLoop(i).Post([this, then] {
                tracing_->HandOver();
                then();
            });
        }
    }

    // On a data loop.
    void OnFull(Batch batch) {
        for (size_t i = 0; i < container_->DataLoops(); ++i) {
            if (container_->DataLoop(i).InLoop()) {
                batch.home = &container_->DataLoop(i);
            }
        }
        auto add = [this, batch = std::move(batch)]() mutable { exporter_->Add(std::move(batch)); };
        static_assert(Callback<void()>::kFits<decltype(add)>);
        container_->MainLoop().Post(std::move(add));
    }

    void OnUsed(Batch used) {
        if (stopping_ || used.home == nullptr) {
            return;
        }
        used.home->Post(
            [this, used = std::move(used)]() mutable { tracing_->TakeBack(std::move(used)); });
    }

    Container* container_ = nullptr;
    log::Logger log_;
    OtelConfig config_;  // constant after Init
    bool listed_ = false;
    std::optional<Budget> budget_;
    std::optional<Tracing> tracing_;
    std::optional<Exporter> exporter_;  // from Serve on, if listed
    std::optional<net::Timer> tick_;
    bool stopping_ = false;
    size_t missing_ = 0;
    Callback<void()> stopped_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<OtelPlugin>(); }

}  // namespace rr::otel
