#include "plugins/app/plugin.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/net/timer.hpp"
#include "plugins/app/app_service.hpp"

namespace rr::app {
namespace {

class AppPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config&, Container& container) override {
        const log::Logger log = container.Log("app");
        errors_.emplace(container.MainLoop(), log, log::OpenStream(2));
        service_.emplace(log, *errors_);
        deadline_.emplace(container.MainLoop(), [this] { errors_->GiveUp(); });
        container.Publish<RpcService>(*service_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override { served({}); }

    void Stop(Deadline deadline, Callback<void()> done) override {
        deadline_->Arm(std::max(Duration::zero(), Duration(deadline - Clock::now())));
        errors_->Finish([this, done = std::move(done)]() mutable {
            deadline_->Disarm();
            done();
        });
    }

private:
    std::optional<ErrorStream> errors_;
    std::optional<AppService> service_;
    std::optional<net::Timer> deadline_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<AppPlugin>(); }

}  // namespace rr::app
