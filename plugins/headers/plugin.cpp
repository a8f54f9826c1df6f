#include "plugins/headers/plugin.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/headers/config.hpp"
#include "plugins/headers/headers.hpp"

namespace rr::headers {
namespace {

class HeadersPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        HeadersConfig parsed = ParseHeadersConfig(http.Sub("headers"));
        if (!http.present()) {
            return false;
        }
        const bool idle = parsed.empty();
        headers_.emplace(std::move(parsed), container.Log("headers"));
        container.Publish<HttpMiddleware>(*headers_);
        const std::vector<std::string> listed = http.List("middleware");
        if (idle &&
            std::find(listed.begin(), listed.end(), headers_->middleware_name()) != listed.end()) {
            http.Warning("middleware", "headers does nothing without http.headers");
        }
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Headers> headers_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<HeadersPlugin>(); }

}  // namespace rr::headers
