// SslConfig: the section `http.ssl`, with RoadRunner's keys and our own; and `http.proxy_protocol`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/net/ip.hpp"
#include "core/net/tls.hpp"

namespace rr::config {
class Section;
}

namespace rr::http {

struct SslConfig {
    std::string address = "127.0.0.1:443";
    std::optional<net::TlsSettings> tls;  // none: HTTPS is not served
    bool redirect = false;                // what comes without TLS is sent there

    // Ours.
    int redirect_code = 308;
    std::string hsts;                          // of every answer over TLS; empty: none
    Duration watch = std::chrono::seconds(5);  // between two looks at the files; 0: never
};

// A proxy in front says whom it speaks for, before the first byte of a connection.
struct ProxyProtocolConfig {
    bool listen = false;
    net::Subnets trusted;  // who does so, and all others do not; empty: everybody does
};

// `http.ssl`; problems are reported through it.
SslConfig ParseSslConfig(const config::Section& section);
// `http.proxy_protocol`
ProxyProtocolConfig ParseProxyProtocolConfig(const config::Section& section);

}  // namespace rr::http
