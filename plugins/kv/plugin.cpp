#include "plugins/kv/plugin.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/config/config.hpp"
#include "plugins/kv/config.hpp"
#include "plugins/kv/kv_service.hpp"

namespace rr::kv {
namespace {

// Life cycle: opens the stores one after another, closes them all.
//
// Thread: main.
class KvPlugin final : public Plugin, public MetricSource {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const auto* invocation = container.Get<Invocation>();
        const bool present = config.Get("kv").present();
        storages_ = ParseStorages(config, container.MainLoop(), container.Log("kv"),
                                  invocation != nullptr ? invocation->directory : ".");
        if (!present) {
            return false;
        }
        service_.emplace(storages_);
        container.Publish<RpcService>(*service_);
        container.Publish<MetricSource>(*this);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        served_ = std::move(served);
        OpenNext();
    }

    // Not in Drain: requests that still run may need what is kept.
    void Stop(Deadline, Callback<void()> done) override {
        service_->Refuse();
        stopped_ = std::move(done);
        closing_ = opened_ + 1;
        for (size_t i = 0; i < opened_; ++i) {
            storages_[i]->store->Close([this] { OnClosed(); });
        }
        OnClosed();
    }

    void Collect(std::vector<MetricFamily>& families) const override {
        CollectMetrics(storages_, families);
    }

private:
    void OpenNext() {
        if (opened_ == storages_.size()) {
            served_({});
            return;
        }
        Storage& storage = *storages_[opened_];
        storage.store->Open([this, &storage](Result<void> opened) {
            if (!opened) {
                served_(Forward(opened, "storage " + storage.name));
                return;
            }
            ++opened_;
            OpenNext();
        });
    }

    void OnClosed() {
        if (--closing_ == 0) {
            stopped_();
        }
    }

    Storages storages_;
    std::optional<KvService> service_;
    size_t opened_ = 0;  // of storages_, from the first
    size_t closing_ = 0;
    Callback<void(Result<void>)> served_;
    Callback<void()> stopped_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<KvPlugin>(); }

}  // namespace rr::kv
