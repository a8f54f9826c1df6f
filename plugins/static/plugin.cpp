#include "plugins/static/plugin.hpp"

#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/http_middleware.hpp"
#include "core/api/invocation.hpp"
#include "core/base/per_thread.hpp"
#include "core/config/config.hpp"
#include "core/files/background.hpp"
#include "plugins/static/config.hpp"
#include "plugins/static/static_files.hpp"

namespace rr::static_files {
namespace {

class StaticPlugin final : public Plugin, public HttpMiddleware {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        const config::Section section = http.Sub("static");
        const auto* invocation = container.Get<Invocation>();
        StaticConfig read = ParseStaticConfig(section, invocation ? invocation->directory : ".");
        if (!http.present() || !section.present()) {
            return false;
        }
        background_.emplace(container);
        files_.emplace([config = std::move(read), this] {
            return std::make_unique<StaticFiles>(config, *background_);
        });
        container.Publish<HttpMiddleware>(*this);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override { served({}); }

    void Stop(Deadline, Callback<void()> done) override { background_->Stop(std::move(done)); }

    std::string_view middleware_name() const override { return "static"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override {
        return !files_->Here().Answer(request, answer, &Clock::now);
    }

private:
    std::optional<files::LoopBackground> background_;
    std::optional<PerThread<StaticFiles>> files_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<StaticPlugin>(); }

}  // namespace rr::static_files
