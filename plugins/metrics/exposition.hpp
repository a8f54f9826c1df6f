// The text that Prometheus reads: families by name, each with HELP and TYPE once.
//
// Thread: pure functions; slow for thousands of series: run those by Loop::Offload.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace rr::metrics {

inline constexpr const char* kContentType =
    "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

std::string Exposition(std::vector<prometheus::MetricFamily> families);

// A family of ours with one value and no labels.
prometheus::MetricFamily Single(std::string name, std::string help, prometheus::MetricType type,
                                double value);

// A value for such a family, of the kind that `type` says.
prometheus::ClientMetric Sample(prometheus::MetricType type, double value);

}  // namespace rr::metrics
