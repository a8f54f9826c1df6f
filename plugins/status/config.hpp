// StatusConfig: the `status` section.
#pragma once

#include <cstdint>
#include <string>

namespace rr::config {
class Section;
}

namespace rr::status {

struct StatusConfig {
    std::string address;                // required
    int unavailable_status_code = 503;  // of an answer that says no
    bool strict_ready = false;          // ready only while a worker is idle
    bool drain_unhealthy = false;       // /health says no while the server stops
    bool every_path = false;            // RoadRunner 1.x: any path asks for health, without a body
};

// legacy: the file has RoadRunner 1.x's shape.
StatusConfig ParseStatusConfig(const config::Section& section, bool legacy);

}  // namespace rr::status
