#include "plugins/metrics/definition.hpp"

#include <algorithm>
#include <cmath>

namespace rr::metrics {
namespace {

const std::vector<double> kDefaultBuckets = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// RoadRunner exports what Prometheus does not allow in a name as `_`.
std::string Escaped(std::string_view name, bool colons) {
    std::string escaped;
    for (const char c : name) {
        const bool fine = IsLetter(c) || (colons && c == ':') || (IsDigit(c) && !escaped.empty());
        escaped += fine ? c : '_';
    }
    return escaped;
}

Result<void> CheckLabels(Definition& d, const std::string& full) {
    std::vector<std::string> seen;
    for (std::string& label : d.labels) {
        const std::string given = label;
        label = Escaped(given, false);
        if (label.empty() || label.starts_with("__")) {
            return Fail(Errc::kInvalid,
                        "\"" + given + "\" is not a valid label name for metric \"" + full + "\"");
        }
        if (d.kind == Kind::kHistogram && label == "le") {
            return Fail(Errc::kInvalid, "`le` is not allowed as label name in histograms");
        }
        if (d.kind == Kind::kSummary && label == "quantile") {
            return Fail(Errc::kInvalid, "`quantile` is not allowed as label name in summaries");
        }
        if (std::find(seen.begin(), seen.end(), label) != seen.end()) {
            return Fail(Errc::kInvalid,
                        "duplicate label name \"" + label + "\" for metric \"" + full + "\"");
        }
        seen.push_back(label);
    }
    return {};
}

Result<void> CheckBuckets(Definition& d) {
    if (d.kind != Kind::kHistogram) {
        d.buckets.clear();
        return {};
    }
    if (!d.buckets.empty() && std::isinf(d.buckets.back()) && d.buckets.back() > 0) {
        d.buckets.pop_back();  // every histogram has it
    }
    if (d.buckets.empty()) {
        d.buckets = kDefaultBuckets;
    }
    double last = -INFINITY;
    for (const double bucket : d.buckets) {
        if (!(bucket > last) || std::isinf(bucket)) {
            return Fail(Errc::kInvalid, "histogram buckets must be in increasing order");
        }
        last = bucket;
    }
    return {};
}

Result<void> CheckObjectives(const Definition& d) {
    for (const auto& [quantile, error] : d.objectives) {
        if (!(quantile >= 0 && quantile <= 1) || !(error >= 0 && error <= 1)) {
            return Fail(Errc::kInvalid, "summary objectives and their errors are between 0 and 1");
        }
    }
    return {};
}

}  // namespace

bool KindOf(std::string_view word, Kind& kind) {
    for (const Kind one : {Kind::kCounter, Kind::kGauge, Kind::kHistogram, Kind::kSummary}) {
        if (word == NameOf(one)) {
            kind = one;
            return true;
        }
    }
    return false;
}

std::string_view NameOf(Kind kind) {
    switch (kind) {
        case Kind::kCounter: return "counter";
        case Kind::kGauge: return "gauge";
        case Kind::kHistogram: return "histogram";
        case Kind::kSummary: return "summary";
    }
    return "";
}

std::string Definition::FullName() const {
    std::string full;
    for (const std::string* part : {&space, &subsystem, &name}) {
        if (!part->empty()) {
            full.append(full.empty() ? "" : "_").append(*part);
        }
    }
    return Escaped(full, true);
}

Result<void> Normalize(Definition& d) {
    if (d.name.empty()) {
        return Fail(Errc::kInvalid, "\"\" is not a valid metric name");
    }
    if (auto labels = CheckLabels(d, d.FullName()); !labels) {
        return labels;
    }
    if (auto buckets = CheckBuckets(d); !buckets) {
        return buckets;
    }
    return CheckObjectives(d);
}

}  // namespace rr::metrics
