#include "plugins/service/config.hpp"

#include "core/config/section.hpp"

namespace rr::service {
namespace {

// Zero means the default, as in RoadRunner.
int64_t OrDefault(int64_t value, int64_t fallback) { return value == 0 ? fallback : value; }

ServiceConfig ParseService(const std::string& name, const config::Section& s) {
    ServiceConfig c;
    c.name = name;
    c.command = s.Command("command");
    if (c.command.empty()) {
        s.Problem("command", "missing");
    }
    c.process_num =
        OrDefault(s.Integer("process_num", c.process_num, 0, ServiceConfig::kMostProcesses), 1);
    c.exec_timeout = s.Time("exec_timeout", c.exec_timeout);
    c.remain_after_exit = s.Bool("remain_after_exit", c.remain_after_exit);
    c.restart = std::chrono::seconds(OrDefault(
        s.Integer("restart_sec", ServiceConfig::kRestartSec, 0, ServiceConfig::kMostSeconds),
        ServiceConfig::kRestartSec));
    c.timeout_stop =
        std::chrono::seconds(OrDefault(s.Integer("timeout_stop_sec", ServiceConfig::kTimeoutStopSec,
                                                 0, ServiceConfig::kMostSeconds),
                                       ServiceConfig::kTimeoutStopSec));
    c.service_name_in_log = s.Bool("service_name_in_log", c.service_name_in_log);
    c.env = s.Pairs("env");
    c.user = s.String("user", c.user);
    return c;
}

}  // namespace

std::vector<ServiceConfig> ParseServices(const config::Section& section) {
    std::vector<ServiceConfig> services;
    for (const auto& [name, child] : section.Children()) {
        services.push_back(ParseService(name, child));
    }
    return services;
}

}  // namespace rr::service
