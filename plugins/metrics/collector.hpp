// Collector: one metric of the application with the values of all its label combinations.
//
// Thread: main.
// Owns:   its series.
// Fails:  with RoadRunner's texts, without the operation in front.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/summary.h>

#include "core/base/callback.hpp"
#include "core/base/result.hpp"
#include "plugins/metrics/definition.hpp"

namespace rr::metrics {

enum class Operation : uint8_t { kAdd, kSub, kSet, kObserve };

// A summary without objectives: the library's own would keep samples for nothing.
class Total {
public:
    void Observe(double value) {
        ++count_;
        sum_ += value;
    }
    prometheus::ClientMetric Collect() const;

private:
    uint64_t count_ = 0;
    double sum_ = 0;
};

class Collector {
public:
    using Labels = std::vector<std::string>;
    // May one more series come into being? Else why not.
    using Permit = Callback<Result<void>()>;

    // definition: normalized. One without labels has its one series from the start.
    explicit Collector(Definition definition);
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    const Definition& definition() const { return definition_; }
    const std::string& full_name() const { return full_name_; }
    size_t series() const { return series_.size(); }

    // labels: values, by position; not looked at where the definition has none.
    Result<void> Apply(Operation operation, double value, const Labels& labels, Permit permit);

    // Sorted by label values.
    prometheus::MetricFamily Collect() const;

private:
    using Series =
        std::variant<std::unique_ptr<prometheus::Counter>, std::unique_ptr<prometheus::Gauge>,
                     std::unique_ptr<prometheus::Histogram>, std::unique_ptr<prometheus::Summary>,
                     std::unique_ptr<Total>>;

    bool Supports(Operation operation) const;
    Result<void> CheckLabels(Operation operation, const Labels& labels) const;
    Series MakeSeries() const;

    const Definition definition_;
    const std::string full_name_;
    std::map<Labels, Series> series_;
};

}  // namespace rr::metrics
