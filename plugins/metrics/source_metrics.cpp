#include "plugins/metrics/source_metrics.hpp"

#include <utility>

#include "plugins/metrics/exposition.hpp"

namespace rr::metrics {
namespace {

std::vector<MetricFamily> Ask(const std::vector<MetricSource*>& sources) {
    std::vector<MetricFamily> all;
    for (const MetricSource* source : sources) {
        source->Collect(all);
    }
    return all;
}

}  // namespace

void CollectSources(const std::vector<MetricSource*>& sources,
                    std::vector<prometheus::MetricFamily>& families) {
    for (MetricFamily& from : Ask(sources)) {
        const auto type = from.kind == MetricFamily::Kind::kCounter
                              ? prometheus::MetricType::Counter
                              : prometheus::MetricType::Gauge;
        prometheus::MetricFamily to{std::move(from.name), std::move(from.help), type, {}};
        for (MetricSample& sample : from.samples) {
            to.metric.push_back(Sample(type, sample.value));
            for (auto& [name, value] : sample.labels) {
                to.metric.back().label.push_back({std::move(name), std::move(value)});
            }
        }
        families.push_back(std::move(to));
    }
}

std::vector<std::string> SourceNames(const std::vector<MetricSource*>& sources) {
    std::vector<std::string> names;
    for (MetricFamily& family : Ask(sources)) {
        names.push_back(std::move(family.name));
    }
    return names;
}

}  // namespace rr::metrics
