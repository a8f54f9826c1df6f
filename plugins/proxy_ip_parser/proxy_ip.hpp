// ProxyIp: the middleware proxy_ip_parser. A request of a trusted proxy has the address of the client
// that the proxy names.
//
// Thread: any data loop, several at once; constant.
// Fails:  never: where no address is found, the proxy's own one stays.
#pragma once

#include <string_view>

#include "core/api/http_middleware.hpp"
#include "plugins/proxy_ip_parser/config.hpp"

namespace rr::proxy_ip_parser {

class ProxyIp final : public HttpMiddleware {
public:
    explicit ProxyIp(ProxyIpConfig config) : config_(std::move(config)) {}

    std::string_view middleware_name() const override { return "proxy_ip_parser"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override;

private:
    bool Trusts(std::string_view peer) const;
    std::string_view Find(const HttpRequest& request) const;
    // RoadRunner's order.
    std::string_view FindByDefault(const HttpRequest& request) const;
    std::string_view In(const HttpRequest& request, std::string_view name) const;

    const ProxyIpConfig config_;
};

}  // namespace rr::proxy_ip_parser
