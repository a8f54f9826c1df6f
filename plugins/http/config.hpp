// HttpConfig: the `http` section, with RoadRunner's keys and our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/pool/config.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/debug_rules.hpp"
#include "plugins/http/head_guard.hpp"
#include "plugins/http/route.hpp"
#include "plugins/http/ssl_config.hpp"
#include "plugins/http/uploads.hpp"

namespace rr::config {
class Section;
}

namespace rr::http {

struct HttpConfig {
    struct Timeouts {
        Duration header = std::chrono::seconds(10);  // for a request head to arrive
        Duration body = std::chrono::seconds(60);    // without progress
        Duration write = std::chrono::seconds(60);   // without progress
        Duration idle = std::chrono::seconds(120);   // of a keep-alive connection
    };
    struct Uploads {
        std::string dir;  // empty: the system's directory for temporary files
        UploadRules rules;
    };

    struct Http2 {
        bool enabled = true;  // over TLS
        bool h2c = false;     // without TLS: by prior knowledge, or by Upgrade
        uint32_t max_concurrent_streams = 128;
    };

    std::string address;          // empty: HTTP is not served
    std::string fcgi_address;     // empty: FastCGI is not served
    int internal_error_code = 0;  // 0: not set: 500, 502, 503, 504 by cause
    bool access_logs = false;
    uint64_t max_request_size = uint64_t{1000} << 20;  // bytes (MB in the file)
    bool raw_body = false;
    std::vector<std::string> middleware;
    Uploads uploads;
    Http2 http2;
    SslConfig ssl;
    pool::PoolConfig pool;
    std::vector<Route> routes;  // pools beside it, in the order of the file
    std::optional<DebugRules> debug;

    // Ours.
    ProxyProtocolConfig proxy_protocol;
    Codec context_codec = Codec::kJson;
    Timeouts timeouts;
    HeadLimits limits;
    uint64_t form_limit = 64 << 20;       // bytes: limits.form
    uint64_t spool_threshold = 64 << 10;  // bytes: larger raw bodies wait in a file
    bool retry_safe_methods = true;
    uint32_t loops = 1;
    bool reuse_port = false;

    // The status for a failure: its own one, or internal_error_code if the user set it.
    int ErrorStatus(int own) const { return internal_error_code != 0 ? internal_error_code : own; }
};

// Reads the section; problems are reported through it.
HttpConfig ParseHttpConfig(const config::Section& section);

}  // namespace rr::http
