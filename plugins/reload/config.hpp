// ReloadConfig: the `reload` section of RoadRunner 1.x and 2.x.
#pragma once

#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "plugins/reload/rules.hpp"

namespace rr::config {
class Section;
}

namespace rr::reload {

struct ReloadConfig {
    struct Service {
        std::string plugin;  // whose workers are replaced; empty: those of all plugins
        Rules rules;
    };
    Duration interval = std::chrono::seconds(1);  // without a change, until a burst is over
    std::vector<Service> services;                // at least one, if the section is there
};

// directory: what relative paths are seen from. Problems are reported through the section.
ReloadConfig ParseReloadConfig(const config::Section& section, const std::string& directory);

}  // namespace rr::reload
