#include "plugins/gzip/plugin.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/gzip/config.hpp"
#include "plugins/gzip/gzip.hpp"

namespace rr::gzip {
namespace {

class GzipPlugin final : public Plugin {
public:
    // There with http, as RoadRunner's is; it does something where http.middleware lists it.
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        GzipConfig parsed = ParseGzipConfig(http.Sub("gzip"));
        if (!http.present()) {
            return false;
        }
        gzip_.emplace(std::move(parsed));
        container.Publish<HttpMiddleware>(*gzip_);
        const std::vector<std::string> listed = http.List("middleware");
        if (std::find(listed.begin(), listed.end(), gzip_->middleware_name()) != listed.end()) {
            container.Publish<MetricSource>(*gzip_);
        }
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Gzip> gzip_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<GzipPlugin>(); }

}  // namespace rr::gzip
