#include "plugins/server/config.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/config/section.hpp"

namespace rr::server {

namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kUnix = "unix://";

std::string ParseRelay(const config::Section& s) {
    std::string relay = s.String("relay", "pipes");
    if (relay.empty() || relay == "pipe" || relay == "pipes") {
        return "pipes";
    }
    bool tcp = relay.starts_with(kTcp) && relay.size() > kTcp.size();
    bool unix_socket = relay.starts_with(kUnix) && relay.size() > kUnix.size();
    if (!tcp && !unix_socket) {
        s.Problem("relay", "invalid DSN (tcp://:6001, unix://file.sock); or pipes");
    }
    if (tcp && relay[kTcp.size()] == ':') {
        // Every worker would die at its start: PHP's Relay::create() wants a host.
        s.Warning("relay", "PHP workers need a host here: write tcp://127.0.0.1" +
                               relay.substr(kTcp.size()));
    }
    return relay;
}

pool::Protocol ParseProtocol(const config::Section& s) {
    std::string word = s.OneOf("protocol", "auto", {"auto", "v2", "v3"});
    if (word == "v2") {
        return pool::Protocol::kV2;
    }
    return word == "v3" ? pool::Protocol::kV3 : pool::Protocol::kAuto;
}

std::optional<OnInitConfig> ParseOnInit(const config::Section& s) {
    OnInitConfig c;
    c.command = s.Command("command");
    c.exec_timeout = s.Time("exec_timeout", c.exec_timeout);
    c.exit_on_error = s.Bool("exit_on_error", c.exit_on_error);
    c.env = s.Pairs("env");
    c.user = s.String("user", "");
    if (!s.present()) {
        return std::nullopt;
    }
    if (c.command.empty()) {
        s.Problem("command", "on_init command should not be empty");
    }
    if (c.exec_timeout <= Duration::zero()) {
        c.exec_timeout = OnInitConfig().exec_timeout;
    }
    return c;
}

}  // namespace

ServerConfig ParseServerConfig(const config::Section& s) {
    ServerConfig c;
    c.command = s.Command("command");
    c.env = s.Pairs("env");
    c.user = s.String("user", "");
    c.group = s.String("group", "");
    c.relay = ParseRelay(s);
    c.protocol = ParseProtocol(s);
    c.on_init = ParseOnInit(s.Sub("on_init"));
    s.Ignored("relay_timeout", "");  // without effect since RoadRunner 2024.1
    s.Ignored("after_init", "RoadRunner 2023.3 dropped it; on_init runs before the first worker");
    if (s.present() && c.command.empty()) {
        s.Problem("command", "command should not be empty");
    }
    return c;
}

pool::ServerSettings OnInitSettings(pool::ServerSettings worker, const OnInitConfig& config) {
    worker.user = config.user;
    worker.group.clear();
    worker.env.clear();
    for (const auto& [name, value] : config.env) {
        std::string upper = name;
        std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        if (std::getenv(upper.c_str()) == nullptr) {
            worker.env.emplace_back(upper, value);
        }
    }
    return worker;
}

}  // namespace rr::server
