#include "plugins/metrics/config.hpp"

#include <utility>

#include "core/config/section.hpp"
#include "core/config/values.hpp"
#include "core/net/address.hpp"

namespace rr::metrics {
namespace {

std::vector<double> ParseBuckets(const config::Section& section) {
    std::vector<double> buckets;
    for (const std::string& text : section.List("buckets")) {
        auto number = config::ParseNumber(text);
        if (!number) {
            section.Problem("buckets", number.error().message);
            return {};
        }
        buckets.push_back(*number);
    }
    return buckets;
}

std::vector<std::pair<double, double>> ParseObjectives(const config::Section& section) {
    std::vector<std::pair<double, double>> parsed;
    for (const auto& [quantile, error] : section.DottedPairs("objectives")) {
        auto q = config::ParseNumber(quantile);
        auto e = config::ParseNumber(error);
        if (!q || !e) {
            section.Problem("objectives", "expected quantiles and their errors: {0.5: 0.05}");
            return {};
        }
        parsed.emplace_back(*q, *e);
    }
    return parsed;
}

Definition ParseCollector(const std::string& name, const config::Section& section) {
    Definition definition;
    definition.name = name;
    const std::string kind =
        section.OneOf("type", "", {"histogram", "gauge", "counter", "summary"});
    definition.space = section.String("namespace", "");
    definition.subsystem = section.String("subsystem", "");
    definition.help = section.String("help", "");
    definition.labels = section.List("labels");
    definition.buckets = ParseBuckets(section);
    definition.objectives = ParseObjectives(section);
    if (!section.Has("type")) {
        section.Problem("type", "missing; one of histogram, gauge, counter, summary");
    }
    KindOf(kind, definition.kind);
    Definition checked = definition;
    if (auto fine = Normalize(checked); !fine) {
        section.Problem("", fine.error().message);
    }
    return definition;
}

}  // namespace

MetricsConfig ParseMetricsConfig(const config::Section& section) {
    MetricsConfig config;
    config.address = section.String("address", config.address);
    config.max_series = static_cast<size_t>(
        section.Integer("max_series", static_cast<int64_t>(config.max_series), 0));
    for (const auto& [name, child] : section.Sub("collect").Children()) {
        config.collect.push_back(ParseCollector(name, child));
    }
    if (auto address = net::ParseAddress(config.address); !address) {
        section.Problem("address", address.error().message);
    }
    return config;
}

}  // namespace rr::metrics
