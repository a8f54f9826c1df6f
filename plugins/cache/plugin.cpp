#include "plugins/cache/plugin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/cache/cache.hpp"
#include "plugins/cache/config.hpp"

namespace rr::cache {
namespace {

// The pools of http: `http`, and `http.name` of its routes.
bool IsHttp(std::string_view pool) { return pool == "http" || pool.starts_with("http."); }

class CachePlugin final : public Plugin {
public:
    // There with http; it does something where http.middleware lists it.
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        const CacheConfig parsed = ParseCacheConfig(http.Sub("cache"));
        if (!http.present()) {
            return false;
        }
        cache_.emplace(parsed, container.Log("cache"));
        container.Publish<HttpMiddleware>(*cache_);
        const std::vector<std::string> listed = http.List("middleware");
        if (std::find(listed.begin(), listed.end(), cache_->middleware_name()) == listed.end()) {
            return true;
        }
        container.Publish<RpcService>(*cache_);
        container.Publish<MetricSource>(*cache_);
        // New code answers from now on.
        container.Events().reset.Subscribe([this](const ResetEvent& event) {
            if (event.phase == ResetPhase::kDone && IsHttp(event.pool)) {
                cache_->Clear("");
            }
        });
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Cache> cache_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<CachePlugin>(); }

}  // namespace rr::cache
