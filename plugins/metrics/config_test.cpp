#include "plugins/metrics/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::metrics;

namespace {

struct Parsed {
    MetricsConfig metrics;
    std::vector<std::string> problems;
};

Parsed Parse(std::string_view yaml) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(yaml));
    REQUIRE(config);
    MetricsConfig metrics = ParseMetricsConfig((*config)->Get("metrics"));
    return {std::move(metrics), (*config)->problems()};
}

}  // namespace

TEST_CASE("metrics config: an empty section has the usual address") {
    const Parsed parsed = Parse("metrics: {}\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.metrics.address == "127.0.0.1:2112");
    REQUIRE(parsed.metrics.max_series == 100'000);
    REQUIRE(parsed.metrics.collect.empty());
}

TEST_CASE("metrics config: collectors with everything") {
    const Parsed parsed = Parse(R"(
metrics:
  address: ":2113"
  max_series: 5
  collect:
    App_Metric:
      type: histogram
      help: "my help"
      namespace: ns
      subsystem: sub
      labels: [type, name]
      buckets: [0.1, 0.2, 1]
    plain: {type: counter}
)");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.metrics.address == ":2113");
    REQUIRE(parsed.metrics.max_series == 5);
    REQUIRE(parsed.metrics.collect.size() == 2);
    const Definition& first = parsed.metrics.collect[0];
    REQUIRE(first.name == "app_metric");
    REQUIRE(first.kind == Kind::kHistogram);
    REQUIRE(first.FullName() == "ns_sub_app_metric");
    REQUIRE(first.help == "my help");
    REQUIRE(first.labels == std::vector<std::string>{"type", "name"});
    REQUIRE(first.buckets == std::vector<double>{0.1, 0.2, 1});
}

TEST_CASE("metrics config: objectives as a map, and as the list of RoadRunner 1.x") {
    using Objectives = std::vector<std::pair<double, double>>;
    for (const char* text :
         {"{0.5: 0.05, 0.99: 0.001, 1: 0}", "[{0.5: 0.05}, {0.99: 0.001}, {1: 0}]"}) {
        INFO(text);
        const Parsed parsed = Parse(
            "metrics: {collect: {s: {type: summary, objectives: " + std::string(text) + "}}}\n");
        INFO((parsed.problems.empty() ? "" : parsed.problems[0]));
        REQUIRE(parsed.problems.empty());
        REQUIRE(parsed.metrics.collect.at(0).objectives ==
                Objectives{{0.5, 0.05}, {0.99, 0.001}, {1, 0}});
    }
}

TEST_CASE("metrics config: what is wrong is named with its line") {
    const std::pair<std::string, std::string> cases[] = {
        {"metrics:\n  address: nowhere\n", ".rr.yaml:3: metrics.address: expected host:port"},
        {"metrics:\n  collect:\n    x: {help: y}\n",
         ".rr.yaml:4: metrics.collect.x.type: missing; one of histogram, gauge, counter, summary"},
        {"metrics:\n  collect:\n    x: {type: gouge}\n",
         ".rr.yaml:4: metrics.collect.x.type: \"gouge\" is not one of histogram, gauge, counter, "
         "summary; did you mean gauge?"},
        {"metrics:\n  collect:\n    x: {type: histogram, buckets: [2, 1]}\n",
         ".rr.yaml:4: metrics.collect.x: histogram buckets must be in increasing order"},
        {"metrics:\n  collect:\n    x: {type: histogram, buckets: [a]}\n",
         ".rr.yaml:4: metrics.collect.x.buckets: "},
        {"metrics:\n  collect:\n    x: {type: histogram, labels: [le]}\n",
         ".rr.yaml:4: metrics.collect.x: `le` is not allowed"},
        {"metrics:\n  max_series: -1\n", ".rr.yaml:3: metrics.max_series: must be at least 0"},
        {"metrics:\n  collect:\n    x: {type: summary, objectives: {a: b}}\n",
         ".rr.yaml:4: metrics.collect.x.objectives: expected quantiles"},
    };
    for (const auto& [yaml, problem] : cases) {
        INFO(yaml);
        const Parsed parsed = Parse(yaml);
        REQUIRE(parsed.problems.size() == 1);
        INFO(parsed.problems[0]);
        REQUIRE(parsed.problems[0].starts_with(problem));
    }
}
