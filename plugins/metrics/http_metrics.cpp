#include "plugins/metrics/http_metrics.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "plugins/metrics/exposition.hpp"

namespace rr::metrics {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kNanoseconds = 1e9;

}  // namespace

const std::array<double, HttpMetrics::kBuckets> HttpMetrics::kBounds = {
    .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60};

HttpMetrics::HttpMetrics()
    : start_(Clock::now()), rows_(std::make_unique<std::array<Row, kStatuses>>()) {}

void HttpMetrics::OnRequest(const RequestEvent& event) {
    if (event.phase == RequestPhase::kBegun) {
        begun_.fetch_add(1, kRelaxed);
        return;
    }
    const bool known = event.status > 0 && event.status < static_cast<int>(kStatuses);
    Row& row = (*rows_)[known ? static_cast<size_t>(event.status) : 0];
    const double seconds = static_cast<double>(event.elapsed_ns) / kNanoseconds;
    size_t bucket = 0;
    while (bucket < kBuckets && seconds > kBounds[bucket]) {
        ++bucket;
    }
    row.buckets[bucket].fetch_add(1, kRelaxed);
    row.sum_ns.fetch_add(static_cast<uint64_t>(event.elapsed_ns), kRelaxed);
    if (event.no_worker) {
        no_worker_.fetch_add(1, kRelaxed);
    }
    finished_.fetch_add(1, kRelaxed);
}

std::vector<std::string> HttpMetrics::Names() {
    return {"rr_http_request_total", "rr_http_request_duration_seconds", "rr_http_requests_queue",
            "rr_http_no_free_workers_total", "rr_http_uptime_seconds"};
}

void HttpMetrics::Collect(std::vector<prometheus::MetricFamily>& families) const {
    using prometheus::MetricType;
    prometheus::MetricFamily total{"rr_http_request_total",
                                   "Total number of handled http requests after server restart.",
                                   MetricType::Counter,
                                   {}};
    prometheus::MetricFamily duration{
        "rr_http_request_duration_seconds", "HTTP request duration.", MetricType::Histogram, {}};
    for (size_t status = 0; status < kStatuses; ++status) {
        const Row& row = (*rows_)[status];
        prometheus::ClientMetric histogram;
        uint64_t count = 0;
        for (size_t i = 0; i <= kBuckets; ++i) {
            count += row.buckets[i].load(kRelaxed);
            histogram.histogram.bucket.push_back(
                {count, i < kBuckets ? kBounds[i] : std::numeric_limits<double>::infinity()});
        }
        if (count == 0) {
            continue;
        }
        histogram.label = {{"status", status == 0 ? "-1" : std::to_string(status)}};
        histogram.histogram.sample_count = count;
        histogram.histogram.sample_sum =
            static_cast<double>(row.sum_ns.load(kRelaxed)) / kNanoseconds;
        auto counter = Sample(MetricType::Counter, static_cast<double>(count));
        counter.label = histogram.label;
        total.metric.push_back(std::move(counter));
        duration.metric.push_back(std::move(histogram));
    }
    if (!total.metric.empty()) {
        families.push_back(std::move(total));
        families.push_back(std::move(duration));
    }
    const uint64_t finished = finished_.load(kRelaxed);
    const uint64_t begun = begun_.load(kRelaxed);
    families.push_back(Single("rr_http_requests_queue", "Total number of queued requests.",
                              MetricType::Gauge,
                              static_cast<double>(begun > finished ? begun - finished : 0)));
    families.push_back(Single("rr_http_no_free_workers_total",
                              "Total number of NoFreeWorkers occurrences.", MetricType::Counter,
                              static_cast<double>(no_worker_.load(kRelaxed))));
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
    families.push_back(Single("rr_http_uptime_seconds", "Uptime in seconds", MetricType::Counter,
                              static_cast<double>(uptime.count())));
}

}  // namespace rr::metrics
