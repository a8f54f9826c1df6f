#include "plugins/logger/plugin.hpp"

#include <optional>

#include "core/api/container.hpp"
#include "plugins/logger/records.hpp"

namespace rr::logger {
namespace {

class LoggerPlugin final : public Plugin {
public:
    // The `logs` section is read before any plugin exists; nothing is left to read here.
    Result<bool> Init(config::Config&, Container& container) override {
        EventBus& events = container.Events();
        records_.emplace(container.Log("server"));
        events.server.Subscribe([this](const ServerEvent& e) { records_->Write(e); });
        events.worker.Subscribe([this](const WorkerEvent& e) { records_->Write(e); });
        events.reset.Subscribe([this](const ResetEvent& e) { records_->Write(e); });
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Records> records_;  // set once in Init
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<LoggerPlugin>(); }

}  // namespace rr::logger
