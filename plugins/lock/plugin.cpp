#include "plugins/lock/plugin.hpp"

#include <optional>

#include "core/api/container.hpp"
#include "plugins/lock/lock_service.hpp"

namespace rr::lock {
namespace {

class LockPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config&, Container& container) override {
        service_.emplace(container.MainLoop(), container.Log("lock"));
        container.Publish<RpcService>(*service_);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override { served({}); }

    // Nobody who still waits could rely on a lock of a server that is about to end.
    void Drain(Deadline, Callback<void()> done) override {
        service_->StopWaiting();
        done();
    }

    void Stop(Deadline, Callback<void()> done) override {
        service_->StopWaiting();
        done();
    }

private:
    std::optional<LockService> service_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<LockPlugin>(); }

}  // namespace rr::lock
