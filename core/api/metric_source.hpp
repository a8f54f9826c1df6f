// MetricSource: numbers that a plugin counts by itself and the metrics plugin shows.
//
// Thread: main. A source that counts on a data loop keeps atomics, or copies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rr {

struct MetricSample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
};

struct MetricFamily {
    enum class Kind : uint8_t { kCounter, kGauge };
    std::string name;  // `rr_tcp_connections`
    std::string help;
    Kind kind = Kind::kGauge;
    std::vector<MetricSample> samples;
};

class MetricSource {
public:
    // Appends its families, the same names each time, also before there is anything to count.
    virtual void Collect(std::vector<MetricFamily>& families) const = 0;

protected:
    ~MetricSource() = default;
};

}  // namespace rr
