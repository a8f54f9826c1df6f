// Definition: what a collector of the application is called and made of.
//
// Thread: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace rr::metrics {

enum class Kind : uint8_t { kCounter, kGauge, kHistogram, kSummary };

// Of `counter` and so on; false if it is none of them.
bool KindOf(std::string_view word, Kind& kind);
std::string_view NameOf(Kind kind);

struct Definition {
    std::string name;
    std::string space;  // `namespace`
    std::string subsystem;
    Kind kind = Kind::kCounter;
    std::string help;
    std::vector<std::string> labels;
    std::vector<double> buckets;                        // histogram; empty: Prometheus' defaults
    std::vector<std::pair<double, double>> objectives;  // summary: quantile and tolerated error

    // namespace_subsystem_name, as it is exported: what may not stand in a name is `_`.
    std::string FullName() const;
};

// Checks it and brings it into the form in which it is exported.
// Fails: with the reason, without an operation in front.
Result<void> Normalize(Definition& definition);

}  // namespace rr::metrics
