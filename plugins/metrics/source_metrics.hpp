// What other plugins count by themselves (core/api/metric_source.hpp), as Prometheus families.
//
// Thread: main.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/api/metric_source.hpp"

namespace rr::metrics {

void CollectSources(const std::vector<MetricSource*>& sources,
                    std::vector<prometheus::MetricFamily>& families);

// Every name of them.
std::vector<std::string> SourceNames(const std::vector<MetricSource*>& sources);

}  // namespace rr::metrics
