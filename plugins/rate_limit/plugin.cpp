#include "plugins/rate_limit/plugin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/rate_limit/config.hpp"
#include "plugins/rate_limit/rate_limit.hpp"

namespace rr::rate_limit {
namespace {

using Names = std::vector<std::string>;

Names::const_iterator Find(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name);
}

class RateLimitPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        const config::Section section = http.Sub("rate_limit");
        RateLimitConfig parsed = ParseRateLimitConfig(section);
        if (!section.present()) {
            return false;
        }
        middleware_.emplace(std::move(parsed));
        container.Publish<HttpMiddleware>(*middleware_);
        const Names listed = http.List("middleware");
        const auto self = Find(listed, middleware_->middleware_name());
        if (self == listed.end()) {
            return true;
        }
        container.Publish<MetricSource>(*middleware_);
        if (Find(listed, "proxy_ip_parser") < self) {
            http.Warning("middleware",
                         "rate_limit sees a request before proxy_ip_parser and limits the proxy as "
                         "one client; write [rate_limit, proxy_ip_parser]");
        }
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<RateLimit> middleware_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<RateLimitPlugin>(); }

}  // namespace rr::rate_limit
