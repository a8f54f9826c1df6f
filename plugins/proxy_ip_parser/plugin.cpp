#include "plugins/proxy_ip_parser/plugin.hpp"

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
        if (parsed.trusted.empty()) {
            return false;
        }
        middleware_.emplace(std::move(parsed));
        container.Publish<HttpMiddleware>(*middleware_);
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
