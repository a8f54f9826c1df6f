// ProxyIpConfig: the keys of `http` that say which proxies are believed, and what of theirs.
#pragma once

#include <string>
#include <vector>

#include "core/net/ip.hpp"
#include "plugins/proxy_ip_parser/forwarded.hpp"

namespace rr::config {
class Section;
}

namespace rr::proxy_ip_parser {

struct ProxyIpConfig {
    net::Subnets trusted;              // trusted_subnets; empty: nobody is believed
    std::vector<std::string> headers;  // trusted_headers; empty: RoadRunner's rules
    Entry entry = Entry::kFirst;       // trusted_entry
};

// Reads them; problems are reported through the section.
ProxyIpConfig ParseProxyIpConfig(const config::Section& http);

}  // namespace rr::proxy_ip_parser
