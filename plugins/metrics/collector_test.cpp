#include "plugins/metrics/collector.hpp"

#include <cmath>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::metrics;

namespace {

Definition Make(std::string name, Kind kind) {
    Definition definition;
    definition.name = std::move(name);
    definition.kind = kind;
    return definition;
}

Collector Normalized(Definition definition) {
    REQUIRE(Normalize(definition));
    return Collector(std::move(definition));
}

void Observe(Collector& collector, double value) {
    REQUIRE(collector.Apply(Operation::kObserve, value, {}, [] { return Result<void>(); }));
}

}  // namespace

TEST_CASE("collector: the full name skips what is empty and escapes what is not allowed") {
    Definition d = Make("request-time.ms", Kind::kGauge);
    REQUIRE(d.FullName() == "request_time_ms");
    d.space = "app";
    REQUIRE(d.FullName() == "app_request_time_ms");
    d.subsystem = "web";
    REQUIRE(d.FullName() == "app_web_request_time_ms");
    REQUIRE(Make("9lives", Kind::kGauge).FullName() == "_lives");
    REQUIRE(Make("\xc3\xa4", Kind::kGauge).FullName() == "__");
    d.labels = {"http-status", "ok"};
    REQUIRE(Normalize(d));
    REQUIRE(d.labels == std::vector<std::string>{"http_status", "ok"});
}

TEST_CASE("collector: a histogram without buckets has Prometheus' own") {
    Collector h = Normalized(Make("h", Kind::kHistogram));
    Observe(h, 0.005);
    Observe(h, 3);
    Observe(h, 100);
    const auto family = h.Collect();
    const auto& histogram = family.metric.at(0).histogram;
    REQUIRE(histogram.bucket.size() == 12);
    REQUIRE(histogram.bucket[0].upper_bound == 0.005);
    REQUIRE(histogram.bucket[0].cumulative_count == 1);  // a bound belongs to its bucket
    REQUIRE(histogram.bucket[9].upper_bound == 5);
    REQUIRE(histogram.bucket[9].cumulative_count == 2);
    REQUIRE(std::isinf(histogram.bucket[11].upper_bound));
    REQUIRE(histogram.sample_count == 3);
    REQUIRE(histogram.sample_sum == Approx(103.005));
}

TEST_CASE("collector: a last bucket without end is the one that every histogram has") {
    Definition d = Make("h", Kind::kHistogram);
    d.buckets = {1, 2, INFINITY};
    Collector h = Normalized(std::move(d));
    REQUIRE(h.Collect().metric.at(0).histogram.bucket.size() == 3);
}

TEST_CASE("collector: a summary without objectives is a sum and a count") {
    Collector s = Normalized(Make("s", Kind::kSummary));
    Observe(s, 1.5);
    Observe(s, 2);
    const auto family = s.Collect();
    REQUIRE(family.type == prometheus::MetricType::Summary);
    REQUIRE(family.metric.at(0).summary.sample_count == 2);
    REQUIRE(family.metric.at(0).summary.sample_sum == 3.5);
    REQUIRE(family.metric.at(0).summary.quantile.empty());
}

TEST_CASE("collector: a summary with objectives has quantiles") {
    Definition d = Make("s", Kind::kSummary);
    d.objectives = {{0.5, 0.05}, {0.9, 0.01}};
    Collector s = Normalized(std::move(d));
    for (int i = 1; i <= 100; ++i) {
        Observe(s, i);
    }
    const auto family = s.Collect();
    const auto& summary = family.metric.at(0).summary;
    REQUIRE(summary.quantile.at(0).quantile == 0.5);
    REQUIRE(summary.quantile.at(0).value == Approx(50).margin(6));
    REQUIRE(summary.quantile.at(1).value == Approx(90).margin(3));
    d = Make("t", Kind::kSummary);
    d.objectives = {{1.5, 0.05}};
    REQUIRE_FALSE(Normalize(d));
}
