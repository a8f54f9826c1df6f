#include "plugins/resetter/plugin.hpp"

#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "plugins/resetter/resetter.hpp"

namespace rr::resetter {
namespace {

class ResetterPlugin final : public Plugin {
public:
    // No section to read: always on.
    Result<bool> Init(config::Config&, Container& container) override {
        auto targets = [&container] { return container.Each<Resettable>(); };
        resetter_.emplace(targets);
        http_.emplace(targets);
        container.Publish<RpcService>(*resetter_);
        container.Publish<RpcService>(*http_);
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Resetter> resetter_;
    std::optional<HttpReset> http_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<ResetterPlugin>(); }

}  // namespace rr::resetter
