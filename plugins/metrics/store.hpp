// Store: the collectors of the application by the names that PHP calls them with. Names are bare:
// the same name in two namespaces is one collector, as in RoadRunner.
//
// Thread: main.
// Owns:   the collectors.
// Fails:  with RoadRunner's texts, the operation in front: `metrics_plugin_add: undefined ...`.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/base/result.hpp"
#include "plugins/metrics/collector.hpp"
#include "plugins/metrics/definition.hpp"

namespace rr::metrics {

class Store {
public:
    // max_series: of all collectors together, each counts as one at least; 0: no bound.
    explicit Store(size_t max_series) : max_series_(max_series) {}

    // A name that we export ourselves.
    void Reserve(std::string full_name) { reserved_.insert(std::move(full_name)); }

    // An existing name is left as it is.
    Result<void> Declare(Definition definition);
    Result<void> Unregister(const std::string& name);
    Result<void> Apply(Operation operation, const std::string& name, double value,
                       const Collector::Labels& labels);

    bool Has(const std::string& name) const { return collectors_.contains(name); }

    // Families without a series are left out.
    void Collect(std::vector<prometheus::MetricFamily>& families) const;
    size_t series() const { return series_; }

private:
    Result<void> CheckName(const Definition& definition) const;
    Result<void> Permit() const;

    const size_t max_series_;
    std::set<std::string> reserved_;
    std::map<std::string, std::unique_ptr<Collector>> collectors_;
    size_t series_ = 0;
};

}  // namespace rr::metrics
