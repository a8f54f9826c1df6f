// The server's own process, under Prometheus' standard names.
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace rr::metrics {

void CollectProcess(std::vector<prometheus::MetricFamily>& families);

// Every name of it.
std::vector<std::string> ProcessNames();

}  // namespace rr::metrics
