#include "plugins/kv/redis/config.hpp"

#include <algorithm>
#include <utility>

#include "core/config/section.hpp"

namespace rr::kv::redis {
namespace {

std::vector<net::Address> ParseAddresses(const config::Section& section) {
    std::vector<std::string> texts = section.List("addrs");
    if (texts.empty()) {
        texts.emplace_back("127.0.0.1:6379");
    }
    std::vector<net::Address> addresses;
    for (const std::string& text : texts) {
        Result<net::Address> address = net::ParseAddress(text);
        if (!address) {
            section.Problem("addrs", text + ": " + address.error().message);
            continue;
        }
        addresses.push_back(std::move(*address));
    }
    return addresses;
}

// Zero is the default, as in RoadRunner.
Duration Time(const config::Section& section, std::string_view key, Duration fallback) {
    const Duration given = section.Time(key, fallback);
    return given == Duration::zero() ? fallback : given;
}

void ParseLink(const config::Section& section, RedisConfig& config) {
    LinkSettings& link = config.link;
    link.dial_timeout = Time(section, "dial_timeout", link.dial_timeout);
    config.read_timeout = Time(section, "read_timeout", config.read_timeout);
    link.write_timeout = Time(section, "write_timeout", config.read_timeout);
    link.max_retries = section.Integer("max_retries", link.max_retries, -1, 1000);
    if (link.max_retries == 0) {
        link.max_retries = LinkSettings().max_retries;
    }
    link.max_retries = std::max<int64_t>(link.max_retries, 0);  // -1: none
    link.max_backoff = Time(section, "max_retry_backoff", link.max_backoff);
    link.min_backoff =
        std::min(Time(section, "min_retry_backoff", link.min_backoff), link.max_backoff);
    link.idle_timeout = Time(section, "idle_timeout", std::chrono::minutes(30));
    link.max_age = section.Time("max_conn_age", link.max_age);
    // There is one connection to a server, which all calls share: nothing to count or to wait for.
    for (std::string_view key :
         {"pool_size", "min_idle_conns", "pool_timeout", "idle_check_freq"}) {
        section.Ignored(key, "");
    }
}

void ParseTls(const config::Section& section, const std::vector<net::Address>& addrs,
              LinkSettings& link) {
    const config::Section tls = section.Sub("tls");
    net::TlsClientSettings settings;
    settings.root_ca = tls.String("root_ca", "");
    settings.cert = tls.String("cert", "");
    settings.key = tls.String("key", "");
    if (!section.Has("tls")) {
        return;
    }
    if (settings.root_ca.empty()) {
        section.Problem("tls",
                        "needs root_ca: the file with the certificate of who signed the server's");
        return;
    }
    for (const net::Address& address : addrs) {
        if (address.kind == net::Address::Kind::kUnix) {
            section.Problem("addrs", address.ToString() + ": a Unix socket has no TLS");
            return;
        }
    }
    if (settings.cert.empty() != settings.key.empty()) {
        tls.Problem(settings.cert.empty() ? "key" : "cert",
                    settings.cert.empty() ? "needs cert" : "needs key");
        return;
    }
    auto opened = net::TlsContext::OpenClient(settings);
    if (!opened) {
        const std::string& text = opened.error().message;
        std::string_view key = text.starts_with(settings.root_ca)     ? "root_ca"
                               : text.starts_with(settings.key + ":") ? "key"
                                                                      : "cert";
        tls.Problem(key, text);
        return;
    }
    link.tls = std::move(*opened);
}

}  // namespace

RedisConfig ParseRedisConfig(const config::Section& section) {
    RedisConfig config;
    config.addrs = ParseAddresses(section);
    config.master_name = section.String("master_name", "");
    config.username = section.String("username", "");
    config.password = section.String("password", "");
    config.sentinel_password = section.String("sentinel_password", "");
    config.db = section.Integer("db", 0, 0, INT32_MAX);
    config.read_only = section.Bool("read_only", false);
    config.route_by_latency = section.Bool("route_by_latency", false);
    config.route_randomly = section.Bool("route_randomly", false);
    ParseLink(section, config);
    if (!config.master_name.empty()) {
        config.mode = RedisConfig::Mode::kSentinel;
    } else if (config.addrs.size() > 1) {
        config.mode = RedisConfig::Mode::kCluster;
    }
    if (config.mode == RedisConfig::Mode::kCluster && config.db != 0) {
        section.Warning("db", "a cluster has only the database 0");
        config.db = 0;
    }
    if (!config.username.empty() && config.password.empty()) {
        section.Problem("username", "needs a password");
    }
    ParseTls(section, config.addrs, config.link);
    return config;
}

}  // namespace rr::kv::redis
