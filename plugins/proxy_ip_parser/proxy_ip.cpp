#include "plugins/proxy_ip_parser/proxy_ip.hpp"

#include "core/api/http_text.hpp"

namespace rr::proxy_ip_parser {

using http_text::Equal;

namespace {

constexpr std::string_view kUnixPeer = "@";
constexpr std::string_view kForwarded = "Forwarded";
constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kRealIp = "X-Real-Ip";
constexpr std::string_view kOfNetworks[] = {"True-Client-Ip", "Cf-Connecting-Ip"};

bool Has(const HttpRequest& request, std::string_view name) {
    return !request.Header(name).empty();
}

}  // namespace

bool ProxyIp::OnRequest(HttpRequest& request, HttpAnswer&) {
    if (config_.trusted.empty() || !Trusts(request.remote_address())) {
        return true;
    }
    const std::string_view client = Find(request);
    if (!client.empty()) {
        request.SetRemoteAddress(client);
    }
    return true;
}

// Who may open a Unix socket is a matter of its folder and mode; clients come in through a proxy.
bool ProxyIp::Trusts(std::string_view peer) const {
    if (peer == kUnixPeer) {
        return true;
    }
    const std::optional<net::IpAddress> ip = net::ParseIp(peer);
    return ip && net::Contains(config_.trusted, *ip);
}

std::string_view ProxyIp::Find(const HttpRequest& request) const {
    if (config_.headers.empty()) {
        return FindByDefault(request);
    }
    for (const std::string& name : config_.headers) {
        if (const std::string_view found = In(request, name); !found.empty()) {
            return found;
        }
    }
    return {};
}

std::string_view ProxyIp::FindByDefault(const HttpRequest& request) const {
    std::string_view found;
    if (Has(request, kForwarded)) {
        found = In(request, kForwarded);  // RoadRunner asks no other header of this kind then
    } else if (found = In(request, kForwardedFor); found.empty()) {
        found = In(request, kRealIp);
    }
    for (const std::string_view name : kOfNetworks) {
        if (found.empty()) {
            found = In(request, name);
        }
    }
    return found;
}

std::string_view ProxyIp::In(const HttpRequest& request, std::string_view name) const {
    Chooser chooser(config_.entry, config_.trusted);
    const bool forwarded = Equal(name, kForwarded);
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        if (!Equal(field.name, name)) {
            continue;
        }
        if (forwarded) {
            chooser.AddForwarded(field.value);
        } else {
            chooser.AddList(field.value);
        }
    }
    return chooser.address();
}

}  // namespace rr::proxy_ip_parser
