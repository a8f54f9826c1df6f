#include "plugins/metrics/http_metrics.hpp"

#include <map>
#include <thread>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::metrics;

namespace {

RequestEvent Finished(int status, int64_t elapsed_ns) {
    RequestEvent event{};
    event.phase = RequestPhase::kFinished;
    event.status = status;
    event.elapsed_ns = elapsed_ns;
    return event;
}

std::map<std::string, prometheus::MetricFamily> Collect(const HttpMetrics& metrics) {
    std::vector<prometheus::MetricFamily> families;
    metrics.Collect(families);
    std::map<std::string, prometheus::MetricFamily> named;
    for (auto& family : families) {
        named[family.name] = std::move(family);
    }
    return named;
}

}  // namespace

TEST_CASE("http metrics: requests are counted by status and by time") {
    HttpMetrics metrics;
    metrics.OnRequest(Finished(200, 5'000'000));
    metrics.OnRequest(Finished(200, 5'000'001));
    metrics.OnRequest(Finished(200, 100'000'000'000));
    metrics.OnRequest(Finished(503, 1000));
    metrics.OnRequest(Finished(0, 1000));
    metrics.OnRequest(Finished(777, 1000));
    auto families = Collect(metrics);
    const auto& total = families["rr_http_request_total"];
    REQUIRE(total.metric.size() == 3);
    REQUIRE(total.metric[0].label[0].value == "-1");
    REQUIRE(total.metric[0].counter.value == 2);
    REQUIRE(total.metric[1].label[0].name == "status");
    REQUIRE(total.metric[1].label[0].value == "200");
    REQUIRE(total.metric[1].counter.value == 3);
    const auto& histogram = families["rr_http_request_duration_seconds"].metric.at(1).histogram;
    REQUIRE(histogram.bucket.size() == 15);
    REQUIRE(histogram.bucket[0].upper_bound == 0.005);
    REQUIRE(histogram.bucket[0].cumulative_count == 1);
    REQUIRE(histogram.bucket[1].cumulative_count == 2);
    REQUIRE(histogram.bucket[13].upper_bound == 60);
    REQUIRE(histogram.bucket[13].cumulative_count == 2);
    REQUIRE(histogram.bucket[14].cumulative_count == 3);
    REQUIRE(histogram.sample_count == 3);
    REQUIRE(histogram.sample_sum == Approx(100.010000001));
}

TEST_CASE("http metrics: what is begun and not finished is in the queue") {
    HttpMetrics metrics;
    REQUIRE(Collect(metrics)["rr_http_requests_queue"].metric.at(0).gauge.value == 0);
    RequestEvent begun{};
    begun.phase = RequestPhase::kBegun;
    metrics.OnRequest(begun);
    metrics.OnRequest(begun);
    REQUIRE(Collect(metrics)["rr_http_requests_queue"].metric.at(0).gauge.value == 2);
    RequestEvent refused = Finished(503, 10);
    refused.no_worker = true;
    metrics.OnRequest(refused);
    auto families = Collect(metrics);
    REQUIRE(families["rr_http_requests_queue"].metric.at(0).gauge.value == 1);
    REQUIRE(families["rr_http_no_free_workers_total"].metric.at(0).counter.value == 1);
    REQUIRE(families.contains("rr_http_uptime_seconds"));
}

TEST_CASE("http metrics: nothing is lost between threads") {
    HttpMetrics metrics;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&metrics] {
            for (int j = 0; j < 10'000; ++j) {
                metrics.OnRequest(Finished(200 + j % 2, 1000));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    auto families = Collect(metrics);
    REQUIRE(families["rr_http_request_total"].metric.at(0).counter.value == 20'000);
    REQUIRE(families["rr_http_request_total"].metric.at(1).counter.value == 20'000);
}

TEST_CASE("http metrics: every family has a reserved name") {
    HttpMetrics metrics;
    metrics.OnRequest(Finished(200, 1));
    auto families = Collect(metrics);
    REQUIRE(families.size() == HttpMetrics::Names().size());
    for (const std::string& name : HttpMetrics::Names()) {
        REQUIRE(families.contains(name));
    }
}
