#include "plugins/metrics/collector.hpp"

#include <chrono>
#include <utility>

namespace rr::metrics {
namespace {

// Prometheus' usual window for quantiles.
constexpr std::chrono::minutes kMaxAge(10);
constexpr int kAgeBuckets = 5;

std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        quoted.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
    }
    return quoted + "\"";
}

// As Go prints a list of strings.
std::string Listed(const Collector::Labels& labels) {
    std::string text = "[]string{";
    for (const std::string& label : labels) {
        text.append(text.back() == '{' ? "" : ", ").append(Quoted(label));
    }
    return text + "}";
}

std::string Ticked(const std::string& name) { return "`" + name + "`"; }

}  // namespace

prometheus::ClientMetric Total::Collect() const {
    prometheus::ClientMetric metric;
    metric.summary.sample_count = count_;
    metric.summary.sample_sum = sum_;
    return metric;
}

Collector::Collector(Definition definition)
    : definition_(std::move(definition)), full_name_(definition_.FullName()) {
    if (definition_.labels.empty()) {
        series_.emplace(Labels(), MakeSeries());
    }
}

Collector::Series Collector::MakeSeries() const {
    switch (definition_.kind) {
        case Kind::kCounter: return std::make_unique<prometheus::Counter>();
        case Kind::kGauge: return std::make_unique<prometheus::Gauge>();
        case Kind::kHistogram: return std::make_unique<prometheus::Histogram>(definition_.buckets);
        case Kind::kSummary: break;
    }
    if (definition_.objectives.empty()) {
        return std::make_unique<Total>();
    }
    prometheus::Summary::Quantiles quantiles;
    for (const auto& [quantile, error] : definition_.objectives) {
        quantiles.emplace_back(quantile, error);
    }
    return std::make_unique<prometheus::Summary>(quantiles, kMaxAge, kAgeBuckets);
}

bool Collector::Supports(Operation operation) const {
    switch (definition_.kind) {
        case Kind::kCounter: return operation == Operation::kAdd;
        case Kind::kGauge: return operation != Operation::kObserve;
        case Kind::kHistogram:
        case Kind::kSummary: return operation == Operation::kObserve;
    }
    return false;
}

Result<void> Collector::CheckLabels(Operation operation, const Labels& labels) const {
    if (definition_.labels.empty()) {
        return {};
    }
    if (labels.empty()) {
        // RoadRunner quotes the name of all kinds but a gauge.
        const bool plain = definition_.kind == Kind::kGauge && operation != Operation::kObserve;
        return Fail(Errc::kInvalid, "required labels for collector " +
                                        (plain ? definition_.name : Ticked(definition_.name)));
    }
    if (labels.size() != definition_.labels.size()) {
        return Fail(Errc::kInvalid, "inconsistent label cardinality: expected " +
                                        std::to_string(definition_.labels.size()) +
                                        " label values but got " + std::to_string(labels.size()) +
                                        " in " + Listed(labels));
    }
    return {};
}

Result<void> Collector::Apply(Operation operation, double value, const Labels& labels,
                              Permit permit) {
    if (!Supports(operation)) {
        static constexpr const char* kMethods[] = {"`Add`", "`Sub`", "Set", "`Observe`"};
        const bool plain = operation == Operation::kAdd;
        return Fail(Errc::kUnsupported,
                    "collector " + (plain ? definition_.name : Ticked(definition_.name)) +
                        " does not support method " + kMethods[static_cast<size_t>(operation)]);
    }
    if (auto fine = CheckLabels(operation, labels); !fine) {
        return fine;
    }
    if (definition_.kind == Kind::kCounter && value < 0) {
        return Fail(Errc::kInvalid, "counter cannot decrease in value");
    }
    const Labels& key = definition_.labels.empty() ? series_.begin()->first : labels;
    auto found = series_.find(key);
    if (found == series_.end()) {
        if (auto allowed = permit(); !allowed) {
            return allowed;
        }
        found = series_.emplace(key, MakeSeries()).first;
    }
    if (auto* counter = std::get_if<std::unique_ptr<prometheus::Counter>>(&found->second)) {
        (*counter)->Increment(value);
    } else if (auto* histogram =
                   std::get_if<std::unique_ptr<prometheus::Histogram>>(&found->second)) {
        (*histogram)->Observe(value);
    } else if (auto* summary = std::get_if<std::unique_ptr<prometheus::Summary>>(&found->second)) {
        (*summary)->Observe(value);
    } else if (auto* total = std::get_if<std::unique_ptr<Total>>(&found->second)) {
        (*total)->Observe(value);
    } else {
        prometheus::Gauge& gauge = *std::get<std::unique_ptr<prometheus::Gauge>>(found->second);
        gauge.Set(operation == Operation::kSet   ? value
                  : operation == Operation::kAdd ? gauge.Value() + value
                                                 : gauge.Value() - value);
    }
    return {};
}

prometheus::MetricFamily Collector::Collect() const {
    prometheus::MetricFamily family;
    family.name = full_name_;
    family.help = definition_.help;
    switch (definition_.kind) {
        case Kind::kCounter: family.type = prometheus::MetricType::Counter; break;
        case Kind::kGauge: family.type = prometheus::MetricType::Gauge; break;
        case Kind::kHistogram: family.type = prometheus::MetricType::Histogram; break;
        case Kind::kSummary: family.type = prometheus::MetricType::Summary; break;
    }
    family.metric.reserve(series_.size());
    for (const auto& [values, series] : series_) {
        family.metric.push_back(
            std::visit([](const auto& metric) { return metric->Collect(); }, series));
        for (size_t i = 0; i < values.size(); ++i) {
            family.metric.back().label.push_back({definition_.labels[i], values[i]});
        }
    }
    return family;
}

}  // namespace rr::metrics
