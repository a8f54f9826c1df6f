#include "plugins/metrics/store.hpp"

#include <limits>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::metrics;

namespace {

Definition Make(std::string name, Kind kind, std::vector<std::string> labels = {}) {
    Definition definition;
    definition.name = std::move(name);
    definition.kind = kind;
    definition.labels = std::move(labels);
    definition.help = "help";
    return definition;
}

std::string ErrorOf(const Result<void>& result) { return result ? "" : result.error().message; }

double ValueOf(const Store& store, std::string_view full, size_t series = 0) {
    std::vector<prometheus::MetricFamily> families;
    store.Collect(families);
    for (const auto& family : families) {
        if (family.name == full) {
            const auto& metric = family.metric.at(series);
            return family.type == prometheus::MetricType::Counter ? metric.counter.value
                                                                  : metric.gauge.value;
        }
    }
    return std::numeric_limits<double>::quiet_NaN();
}

struct Fixture {
    std::string Declare(Definition definition) {
        return ErrorOf(store.Declare(std::move(definition)));
    }
    std::string Apply(Operation operation, const std::string& name, double value,
                      const Collector::Labels& labels = {}) {
        return ErrorOf(store.Apply(operation, name, value, labels));
    }
    Store store{0};
};

constexpr auto kAdd = Operation::kAdd;
constexpr auto kSub = Operation::kSub;
constexpr auto kSet = Operation::kSet;
constexpr auto kObserve = Operation::kObserve;

}  // namespace

TEST_CASE_METHOD(Fixture, "metrics: a counter counts, a gauge goes both ways") {
    REQUIRE(Declare(Make("jobs", Kind::kCounter)).empty());
    REQUIRE(ValueOf(store, "jobs") == 0);
    REQUIRE(Apply(kAdd, "jobs", 2).empty());
    REQUIRE(Apply(kAdd, "jobs", 0.5, {"not", "looked at"}).empty());
    REQUIRE(ValueOf(store, "jobs") == 2.5);
    REQUIRE(Declare(Make("level", Kind::kGauge)).empty());
    Apply(kAdd, "level", 5);
    Apply(kSub, "level", 7);
    REQUIRE(ValueOf(store, "level") == -2);
    Apply(kAdd, "level", -1);
    REQUIRE(ValueOf(store, "level") == -3);
    Apply(kSet, "level", 10);
    REQUIRE(ValueOf(store, "level") == 10);
}

TEST_CASE_METHOD(Fixture, "metrics: an unknown name is told in RoadRunner's words") {
    REQUIRE(Apply(kAdd, "x", 1) ==
            "metrics_plugin_add: undefined collector x, try first Declare the desired collector");
    REQUIRE(Apply(kSub, "x", 1) == "metrics_plugin_sub: undefined collector x");
    REQUIRE(Apply(kSet, "x", 1) == "metrics_plugin_set: undefined collector x");
    REQUIRE(Apply(kObserve, "x", 1) == "metrics_plugin_observe: undefined collector x");
    REQUIRE(ErrorOf(store.Unregister("x")) == "metrics_plugin_unregister: undefined collector x");
}

TEST_CASE_METHOD(Fixture, "metrics: every kind has its methods") {
    Declare(Make("c", Kind::kCounter));
    Declare(Make("g", Kind::kGauge));
    Declare(Make("h", Kind::kHistogram));
    Declare(Make("s", Kind::kSummary));
    REQUIRE(Apply(kAdd, "h", 1) == "metrics_plugin_add: collector h does not support method `Add`");
    REQUIRE(Apply(kSub, "c", 1) ==
            "metrics_plugin_sub: collector `c` does not support method `Sub`");
    REQUIRE(Apply(kSet, "c", 1) == "metrics_plugin_set: collector `c` does not support method Set");
    REQUIRE(Apply(kObserve, "g", 1) ==
            "metrics_plugin_observe: collector `g` does not support method `Observe`");
    REQUIRE(Apply(kObserve, "h", 1).empty());
    REQUIRE(Apply(kObserve, "s", 1).empty());
}

TEST_CASE_METHOD(Fixture, "metrics: labels are required, counted, and sorted on the way out") {
    Declare(Make("c", Kind::kCounter, {"a", "b"}));
    Declare(Make("g", Kind::kGauge, {"a"}));
    REQUIRE(store.series() == 2);
    REQUIRE(Apply(kAdd, "c", 1) == "metrics_plugin_add: required labels for collector `c`");
    REQUIRE(Apply(kAdd, "g", 1) == "metrics_plugin_add: required labels for collector g");
    REQUIRE(Apply(kAdd, "c", 1, {"1\""}) ==
            "metrics_plugin_add: inconsistent label cardinality: expected 2 label values but got 1 "
            "in []string{\"1\\\"\"}");
    REQUIRE(Apply(kAdd, "c", 1, {"x", "y", "z"}).ends_with("[]string{\"x\", \"y\", \"z\"}"));
    Apply(kAdd, "c", 2, {"b", "1"});
    Apply(kAdd, "c", 1, {"a", "2"});
    Apply(kAdd, "c", 1, {"b", "1"});
    REQUIRE(ValueOf(store, "c", 0) == 1);
    REQUIRE(ValueOf(store, "c", 1) == 3);
    REQUIRE(store.series() == 3);
}

TEST_CASE_METHOD(Fixture,
                 "metrics: a counter never decreases, and what was refused leaves nothing") {
    Declare(Make("c", Kind::kCounter, {"a"}));
    REQUIRE(Apply(kAdd, "c", -1, {"x"}) == "metrics_plugin_add: counter cannot decrease in value");
    std::vector<prometheus::MetricFamily> families;
    store.Collect(families);
    REQUIRE(families.empty());
}

TEST_CASE_METHOD(Fixture, "metrics: an existing name stays as it is, whatever is declared") {
    Declare(Make("c", Kind::kCounter));
    Apply(kAdd, "c", 3);
    REQUIRE(Declare(Make("c", Kind::kGauge, {"x"})).empty());
    Definition elsewhere = Make("c", Kind::kCounter);
    elsewhere.space = "other";
    REQUIRE(Declare(elsewhere).empty());
    REQUIRE(ValueOf(store, "c") == 3);
    REQUIRE(store.Unregister("c").has_value());
    REQUIRE(store.series() == 0);
    REQUIRE(Declare(Make("c", Kind::kGauge)).empty());
    REQUIRE(ValueOf(store, "c") == 0);
}

TEST_CASE_METHOD(Fixture, "metrics: one exported name belongs to one collector") {
    store.Reserve("rr_http_uptime_seconds");
    Definition ours = Make("uptime_seconds", Kind::kCounter, {"a", "b"});
    ours.space = "rr";
    ours.subsystem = "http";
    REQUIRE(Declare(ours) ==
            "metrics_plugin_declare: a previously registered descriptor with the same "
            "fully-qualified name as Desc{fqName: \"rr_http_uptime_seconds\", help: \"help\", "
            "constLabels: {}, variableLabels: {a,b}} has different label names or a different help "
            "string");
    Definition first = Make("c", Kind::kCounter);
    first.space = "a_b";
    Definition second = Make("b_c", Kind::kCounter);
    second.space = "a";
    REQUIRE(Declare(first).empty());
    REQUIRE(Declare(second) ==
            "metrics_plugin_declare: duplicate metrics collector registration attempted");
    second.help = "another";
    REQUIRE(Declare(second).find("a different help string") != std::string::npos);
    REQUIRE(Declare(Make("h", Kind::kHistogram)).empty());
    REQUIRE(Declare(Make("h_count", Kind::kCounter)) ==
            "metrics_plugin_declare: the histogram h exports h_count already");
}

TEST_CASE_METHOD(Fixture, "metrics: what cannot be exported is refused") {
    REQUIRE(Declare(Make("", Kind::kCounter)) ==
            "metrics_plugin_declare: \"\" is not a valid metric name");
    Definition h = Make("h", Kind::kHistogram);
    for (const auto& bad : std::vector<std::vector<double>>{
             {1, 1}, {2, 1}, {std::numeric_limits<double>::quiet_NaN()}}) {
        h.buckets = bad;
        REQUIRE(Declare(h) ==
                "metrics_plugin_declare: histogram buckets must be in increasing order");
    }
    h.buckets = {};
    h.labels = {"le"};
    REQUIRE(Declare(h) ==
            "metrics_plugin_declare: `le` is not allowed as label name in histograms");
    REQUIRE(Declare(Make("s", Kind::kSummary, {"quantile"})) ==
            "metrics_plugin_declare: `quantile` is not allowed as label name in summaries");
    REQUIRE(Declare(Make("c", Kind::kCounter, {"__a"})) ==
            "metrics_plugin_declare: \"__a\" is not a valid label name for metric \"c\"");
    REQUIRE(Declare(Make("c", Kind::kCounter, {"a.b", "a_b"})) ==
            "metrics_plugin_declare: duplicate label name \"a_b\" for metric \"c\"");
}

TEST_CASE("metrics: the number of series is bounded") {
    Store store(3);
    REQUIRE(store.Declare(Make("c", Kind::kCounter, {"a"})));
    REQUIRE(store.Declare(Make("g", Kind::kGauge)));
    REQUIRE(store.Apply(kAdd, "c", 1, {"1"}));
    REQUIRE(store.Apply(kAdd, "c", 1, {"2"}));
    REQUIRE(store.series() == 3);
    const auto refused = store.Apply(kAdd, "c", 1, {"3"});
    REQUIRE(ErrorOf(refused) ==
            "metrics_plugin_add: too many combinations of label values: metrics.max_series is 3");
    REQUIRE(store.Apply(kAdd, "c", 1, {"2"}));
    REQUIRE_FALSE(store.Declare(Make("d", Kind::kGauge)));
    REQUIRE(store.Unregister("c"));
    REQUIRE(store.series() == 1);
    REQUIRE(store.Declare(Make("d", Kind::kGauge)));
}
