// HttpMetrics: counts the requests of the http plugin.
//
// Thread: OnRequest on any thread, a few relaxed atomic additions; Collect on main. What Collect sees
//         of a request that ends at the same moment may be incomplete by one.
// Owns:   a table of counters, one row per status, 75 KiB in all.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/api/events.hpp"
#include "core/base/time.hpp"

namespace rr::metrics {

class HttpMetrics {
public:
    HttpMetrics();

    void OnRequest(const RequestEvent& event);

    void Collect(std::vector<prometheus::MetricFamily>& families) const;

    // Of every family that Collect may write.
    static std::vector<std::string> Names();

private:
    static constexpr size_t kStatuses = 600;  // row 0: no status at all
    static constexpr size_t kBuckets = 14;

    struct Row {
        std::array<std::atomic<uint64_t>, kBuckets + 1> buckets{};  // the last one is +Inf
        std::atomic<uint64_t> sum_ns{0};
    };

    static const std::array<double, kBuckets> kBounds;

    const Instant start_;
    std::unique_ptr<std::array<Row, kStatuses>> rows_;
    std::atomic<uint64_t> begun_{0};
    std::atomic<uint64_t> finished_{0};
    std::atomic<uint64_t> no_worker_{0};
};

}  // namespace rr::metrics
