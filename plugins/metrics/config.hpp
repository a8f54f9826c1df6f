// MetricsConfig: the `metrics` section.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plugins/metrics/definition.hpp"

namespace rr::config {
class Section;
}

namespace rr::metrics {

struct MetricsConfig {
    std::string address = "127.0.0.1:2112";
    size_t max_series = 100'000;      // of the application; 0: no limit
    std::vector<Definition> collect;  // declared before the first worker starts
};

MetricsConfig ParseMetricsConfig(const config::Section& section);

}  // namespace rr::metrics
