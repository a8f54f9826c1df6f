#include "plugins/proxy_ip_parser/config.hpp"

#include "core/api/http_text.hpp"
#include "core/config/section.hpp"

namespace rr::proxy_ip_parser {
namespace {

Entry ReadEntry(const config::Section& http) {
    const std::string entry = http.OneOf("trusted_entry", "first", {"first", "last", "untrusted"});
    return entry == "first" ? Entry::kFirst : entry == "last" ? Entry::kLast : Entry::kUntrusted;
}

}  // namespace

ProxyIpConfig ParseProxyIpConfig(const config::Section& http) {
    ProxyIpConfig c;
    for (const std::string& text : http.List("trusted_subnets")) {
        if (std::optional<net::Subnet> subnet = net::ParseSubnet(text)) {
            c.trusted.push_back(*subnet);
        } else {
            http.Problem("trusted_subnets", "no network like 10.0.0.0/8 or fc00::/7: " + text);
        }
    }
    c.headers = http.List("trusted_headers");
    for (const std::string& name : c.headers) {
        if (!http_text::IsToken(name)) {
            http.Problem("trusted_headers", "no name of a header: " + name);
        }
    }
    c.entry = ReadEntry(http);
    return c;
}

}  // namespace rr::proxy_ip_parser
