#include "plugins/metrics/exposition.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <prometheus/text_serializer.h>

namespace rr::metrics {
namespace {

// The serializer writes help texts as they are: a line end would break the format.
std::string EscapedHelp(const std::string& help) {
    std::string escaped;
    for (const char c : help) {
        if (c == '\\') {
            escaped += "\\\\";
        } else if (c == '\n') {
            escaped += "\\n";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

}  // namespace

std::string Exposition(std::vector<prometheus::MetricFamily> families) {
    std::sort(families.begin(), families.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (prometheus::MetricFamily& family : families) {
        family.help = EscapedHelp(family.help);
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
}

prometheus::ClientMetric Sample(prometheus::MetricType type, double value) {
    prometheus::ClientMetric metric;
    if (type == prometheus::MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    return metric;
}

prometheus::MetricFamily Single(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
    return {std::move(name), std::move(help), type, {Sample(type, value)}};
}

}  // namespace rr::metrics
