#include "plugins/metrics/store.hpp"

#include <algorithm>
#include <utility>

namespace rr::metrics {
namespace {

// As Go's client library describes a metric.
std::string Described(const Definition& d) {
    std::string labels;
    for (const std::string& label : d.labels) {
        labels.append(labels.empty() ? "" : ",").append(label);
    }
    return "Desc{fqName: \"" + d.FullName() + "\", help: \"" + d.help +
           "\", constLabels: {}, variableLabels: {" + labels + "}}";
}

// Every name of a line in the exposition.
std::vector<std::string> LinesOf(const std::string& full, Kind kind) {
    switch (kind) {
        case Kind::kHistogram: return {full, full + "_bucket", full + "_sum", full + "_count"};
        case Kind::kSummary: return {full, full + "_sum", full + "_count"};
        default: return {full};
    }
}

constexpr const char* kOperations[] = {"metrics_plugin_add", "metrics_plugin_sub",
                                       "metrics_plugin_set", "metrics_plugin_observe"};
constexpr const char* kDeclare = "metrics_plugin_declare";
constexpr const char* kUnregister = "metrics_plugin_unregister";

}  // namespace

Result<void> Store::CheckName(const Definition& d) const {
    const std::string full = d.FullName();
    const std::string clash =
        "a previously registered descriptor with the same fully-qualified "
        "name as " +
        Described(d) + " has different label names or a different help string";
    const auto lines = LinesOf(full, d.kind);
    for (const std::string& line : lines) {
        if (reserved_.contains(line)) {
            return Fail(Errc::kExists, clash);
        }
    }
    for (const auto& [name, other] : collectors_) {
        const Definition& theirs = other->definition();
        if (other->full_name() == full) {
            return Fail(Errc::kExists, theirs.labels == d.labels && theirs.help == d.help
                                           ? "duplicate metrics collector registration attempted"
                                           : clash);
        }
        for (const std::string& line : LinesOf(other->full_name(), theirs.kind)) {
            if (std::find(lines.begin(), lines.end(), line) != lines.end()) {
                return Fail(Errc::kExists, "the " + std::string(NameOf(theirs.kind)) + " " +
                                               other->full_name() + " exports " + line +
                                               " already");
            }
        }
    }
    return {};
}

Result<void> Store::Permit() const {
    if (max_series_ > 0 && series_ >= max_series_) {
        return Fail(Errc::kBusy, "too many combinations of label values: metrics.max_series is " +
                                     std::to_string(max_series_));
    }
    return {};
}

Result<void> Store::Declare(Definition definition) {
    if (collectors_.contains(definition.name)) {
        return {};
    }
    Result<void> fine = Normalize(definition);
    if (fine) {
        fine = CheckName(definition);
    }
    if (fine) {
        fine = Permit();
    }
    if (!fine) {
        return Forward(fine, kDeclare);
    }
    std::string name = definition.name;
    collectors_.emplace(std::move(name), std::make_unique<Collector>(std::move(definition)));
    ++series_;
    return {};
}

Result<void> Store::Unregister(const std::string& name) {
    const auto found = collectors_.find(name);
    if (found == collectors_.end()) {
        return Fail(Errc::kNotFound, std::string(kUnregister) + ": undefined collector " + name);
    }
    series_ -= std::max<size_t>(1, found->second->series());
    collectors_.erase(found);
    return {};
}

Result<void> Store::Apply(Operation operation, const std::string& name, double value,
                          const Collector::Labels& labels) {
    const char* op = kOperations[static_cast<size_t>(operation)];
    const auto found = collectors_.find(name);
    if (found == collectors_.end()) {
        std::string text = std::string(op) + ": undefined collector " + name;
        if (operation == Operation::kAdd) {
            text += ", try first Declare the desired collector";
        }
        return Fail(Errc::kNotFound, std::move(text));
    }
    Collector& collector = *found->second;
    const size_t before = std::max<size_t>(1, collector.series());
    auto applied = collector.Apply(operation, value, labels, [&]() -> Result<void> {
        // Its first series was counted when it was declared.
        return collector.series() == 0 ? Result<void>() : Permit();
    });
    series_ += std::max<size_t>(1, collector.series()) - before;
    if (!applied) {
        return Forward(applied, op);
    }
    return {};
}

void Store::Collect(std::vector<prometheus::MetricFamily>& families) const {
    for (const auto& [name, collector] : collectors_) {
        if (collector->series() > 0) {
            families.push_back(collector->Collect());
        }
    }
}

}  // namespace rr::metrics
