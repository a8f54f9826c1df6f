#include "plugins/http/config.hpp"

#include <algorithm>
#include <filesystem>

#include "core/config/section.hpp"
#include "core/net/address.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/slow_log.hpp"

namespace rr::http {
namespace {

using config::Section;

constexpr std::string_view kNotYet = "not served yet";
constexpr int64_t kMostHeaders = 4096;  // values of one name are found by comparing all pairs
constexpr int64_t kMostLoops = 256;
constexpr int64_t kMostStreams = 65536;
constexpr Duration kShortest = std::chrono::milliseconds(1);

void ReadHttp2(const Section& s, HttpConfig::Http2& c) {
    c.enabled = s.Bool("alpn", true);
    c.h2c = s.Bool("h2c", false);
    c.max_concurrent_streams = static_cast<uint32_t>(
        s.Integer("max_concurrent_streams", c.max_concurrent_streams, 1, kMostStreams));
}

// Of the key `address`; none is fine.
void CheckAddress(const Section& s, const std::string& address) {
    if (address.empty()) {
        return;
    }
    if (address.find(':') == std::string::npos) {
        s.Problem("address", "malformed http server address");
        return;
    }
    if (auto parsed = net::ParseAddress(address); !parsed) {
        s.Problem("address", parsed.error().message);
    }
}

void ReadAddress(const Section& s, HttpConfig& c) {
    c.address = s.String("address", "");
    Section fcgi = s.Sub("fcgi");
    c.fcgi_address = fcgi.String("address", "");
    if (!s.present()) {
        return;
    }
    CheckAddress(s, c.address);
    CheckAddress(fcgi, c.fcgi_address);
    if (c.ssl.tls) {
        CheckAddress(s.Sub("ssl"), c.ssl.address);
    }
    if (c.address.empty() && c.fcgi_address.empty() && !c.ssl.tls) {
        bool other = s.Has("http3");
        s.Problem(other ? "address" : "",
                  other ? "missing; http3 is not served yet"
                        : "unable to run http service, no method has been specified (http, https, "
                          "http/2 or FastCGI)");
    }
    if (c.ssl.redirect && (c.address.empty() || !c.ssl.tls)) {
        s.Sub("ssl").Warning("redirect",
                             "has no effect without http.address, ssl.cert and ssl.key");
        c.ssl.redirect = false;
    }
}

void ReadSsl(const Section& s, HttpConfig& c) {
    c.ssl = ParseSslConfig(s);
    if (c.ssl.tls) {
        c.ssl.tls->protocols = {"http/1.1"};
        if (c.http2.enabled) {
            c.ssl.tls->protocols.insert(c.ssl.tls->protocols.begin(), "h2");
        }
        // Go's words.
        c.ssl.tls->http_answer =
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    }
}

void ReadErrorCode(const Section& s, HttpConfig& c) {
    int64_t code = s.Integer("internal_error_code", 0, 0, 599);
    if (code > 0 && code < 100) {
        s.Problem("internal_error_code", "must be from 100 to 599");
        code = 0;
    }
    c.internal_error_code = static_cast<int>(code);
}

// Extensions are compared in lower case; empty entries count as absent.
std::vector<std::string> Extensions(const Section& s, std::string_view key) {
    std::vector<std::string> list = s.List(key);
    for (std::string& entry : list) {
        std::transform(entry.begin(), entry.end(), entry.begin(), ToLower);
    }
    std::erase(list, "");
    return list;
}

void ReadTimeouts(const Section& s, HttpConfig::Timeouts& c) {
    c.header = s.Time("header", c.header, kShortest);
    c.body = s.Time("body", c.body, kShortest);
    c.write = s.Time("write", c.write, kShortest);
    c.idle = s.Time("idle", c.idle, kShortest);
}

// A size from `least` to `most`.
uint64_t ReadSize(const Section& s, std::string_view key, uint64_t fallback, int64_t least,
                  int64_t most) {
    int64_t size = s.Size(key, static_cast<int64_t>(fallback));
    if (size < least || size > most) {
        s.Problem(key, "must be from " + std::to_string(least) + " to " + std::to_string(most) +
                           " bytes");
        return fallback;
    }
    return static_cast<uint64_t>(size);
}

void ReadLimits(const Section& s, HttpConfig& c) {
    constexpr int64_t kMegabyte = 1 << 20;
    c.limits.target = static_cast<uint32_t>(ReadSize(s, "target", c.limits.target, 1, kMegabyte));
    c.limits.head = static_cast<uint32_t>(ReadSize(s, "head", c.limits.head, 64, 16 * kMegabyte));
    c.limits.headers =
        static_cast<uint32_t>(s.Integer("headers", c.limits.headers, 1, kMostHeaders));
    c.form_limit = ReadSize(s, "form", c.form_limit, 0, 4096 * kMegabyte - 1);
}

HttpConfig::Usage ReadUsage(const Section& s) {
    std::string usage = s.OneOf("access_log_usage", "none", {"none", "cpu", "all"});
    return usage == "all"   ? HttpConfig::Usage::kAll
           : usage == "cpu" ? HttpConfig::Usage::kCpu
                            : HttpConfig::Usage::kNone;
}

// Whether they exist is known after every Init.
std::vector<std::string> Middleware(const Section& s) {
    std::vector<std::string> names;
    for (const std::string& name : s.List("middleware")) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        } else {
            s.Warning("middleware", name + ": listed twice; its first place counts");
        }
    }
    return names;
}

}  // namespace

HttpConfig ParseHttpConfig(const Section& s) {
    HttpConfig c;
    ReadHttp2(s.Sub("http2"), c.http2);
    ReadSsl(s.Sub("ssl"), c);
    ReadAddress(s, c);
    ReadErrorCode(s, c);
    c.access_logs = s.Bool("access_logs", false);
    constexpr int64_t kMostMegabytes = int64_t{1} << 40;
    int64_t megabytes = s.Integer("max_request_size", 1000, 0, kMostMegabytes);
    c.max_request_size = static_cast<uint64_t>(megabytes == 0 ? 1000 : megabytes) << 20;
    c.raw_body = s.Bool("raw_body", false);
    c.middleware = Middleware(s);
    c.proxy_protocol = ParseProxyProtocolConfig(s.Sub("proxy_protocol"));

    Section uploads = s.Sub("uploads");
    c.uploads.dir = uploads.String("dir", "");
    if (std::error_code none;
        !c.uploads.dir.empty() && !std::filesystem::is_directory(c.uploads.dir, none)) {
        uploads.Warning("dir", "no such directory: " + c.uploads.dir + "; uploads will fail");
    }
    c.uploads.rules.forbid = Extensions(uploads, "forbid");
    c.uploads.rules.allow = Extensions(uploads, "allow");

    c.pool = pool::ParsePoolConfig(s.Sub("pool"));
    c.access_log_usage = ReadUsage(s);
    c.pool.watch.cpu = c.access_log_usage != HttpConfig::Usage::kNone;
    c.pool.watch.memory = c.access_log_usage == HttpConfig::Usage::kAll;
    c.pool.watch.slow_after = ReadSlowAfter(s.Sub("slow_log"), Duration::zero());
    c.routes = ParseRoutes(s.Sub("pools"), c.pool.watch);
    c.debug = ParseDebugRules(s);
    if (c.debug) {  // whoever stops in a debugger is slow, and knows it
        c.debug->pool.watch.cpu = c.pool.watch.cpu;
        c.debug->pool.watch.memory = c.pool.watch.memory;
    }
    if (c.debug && std::any_of(c.routes.begin(), c.routes.end(),
                               [](const Route& route) { return route.name == "debug"; })) {
        s.Sub("pools").Problem("debug", "this is the name of the pool of http.debug");
    }

    c.context_codec = s.OneOf("context_codec", "json", {"json", "protobuf"}) == "json"
                          ? Codec::kJson
                          : Codec::kProtobuf;
    ReadTimeouts(s.Sub("timeouts"), c.timeouts);
    ReadLimits(s.Sub("limits"), c);
    c.spool_threshold = ReadSize(s, "spool_threshold", c.spool_threshold, 0, int64_t{1} << 30);
    c.retry_safe_methods = s.Bool("retry_safe_methods", true);
    c.loops = static_cast<uint32_t>(s.Integer("loops", 1, 1, kMostLoops));
    c.reuse_port = s.Bool("reuse_port", false);

    s.Ignored("http3", kNotYet);
    return c;
}

}  // namespace rr::http
