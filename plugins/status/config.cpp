#include "plugins/status/config.hpp"

#include "core/config/section.hpp"
#include "core/net/address.hpp"

namespace rr::status {

StatusConfig ParseStatusConfig(const config::Section& section, bool legacy) {
    StatusConfig config;
    config.address = section.String("address", "");
    // RoadRunner reads it as a limit of the client's connection; we wait for nobody.
    section.Integer("check_timeout", 60, 0, 86400);
    config.unavailable_status_code =
        static_cast<int>(section.Integer("unavailable_status_code", legacy ? 500 : 503, 100, 599));
    config.strict_ready = section.Bool("strict_ready", config.strict_ready);
    config.drain_unhealthy = section.Bool("drain_unhealthy", config.drain_unhealthy);
    config.every_path = legacy;
    if (!section.present()) {
        return config;
    }
    if (config.address.empty()) {
        section.Problem("address",
                        "missing; say where /health and /ready are served: 127.0.0.1:2114");
    } else if (auto address = net::ParseAddress(config.address); !address) {
        section.Problem("address", address.error().message);
    }
    return config;
}

}  // namespace rr::status
