#include "plugins/informer/plugin.hpp"

#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "plugins/informer/informer.hpp"

namespace rr::informer {
namespace {

class InformerPlugin final : public Plugin {
public:
    // No section to read: always on.
    Result<bool> Init(config::Config&, Container& container) override {
        auto groups = [&container] { return container.Each<WorkerGroup>(); };
        informer_.emplace(groups);
        http_.emplace(groups);
        container.Publish<RpcService>(*informer_);
        container.Publish<RpcService>(*http_);
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Informer> informer_;
    std::optional<HttpWorkers> http_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<InformerPlugin>(); }

}  // namespace rr::informer
