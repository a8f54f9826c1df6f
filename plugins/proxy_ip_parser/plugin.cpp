#include "plugins/proxy_ip_parser/plugin.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/proxy_ip_parser/config.hpp"
#include "plugins/proxy_ip_parser/proxy_ip.hpp"

namespace rr::proxy_ip_parser {
namespace {

class ProxyIpPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        ProxyIpConfig parsed = ParseProxyIpConfig(http);
        if (!http.present()) {
            return false;
        }
        const bool idle = parsed.trusted.empty();
        middleware_.emplace(std::move(parsed));
        container.Publish<HttpMiddleware>(*middleware_);
        const std::vector<std::string> listed = http.List("middleware");
        if (idle && std::find(listed.begin(), listed.end(), middleware_->middleware_name()) !=
                        listed.end()) {
            http.Warning("middleware", "proxy_ip_parser does nothing without http.trusted_subnets");
        }
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<ProxyIp> middleware_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<ProxyIpPlugin>(); }

}  // namespace rr::proxy_ip_parser
