#include "plugins/metrics/exposition.hpp"

#include <cmath>

#include <catch2/catch.hpp>

#include "plugins/metrics/store.hpp"

using namespace rr;
using namespace rr::metrics;

namespace {

Definition Make(std::string name, Kind kind, std::vector<std::string> labels, std::string help) {
    Definition definition;
    definition.name = std::move(name);
    definition.kind = kind;
    definition.labels = std::move(labels);
    definition.help = std::move(help);
    return definition;
}

std::string TextOf(const Store& store) {
    std::vector<prometheus::MetricFamily> families;
    store.Collect(families);
    return Exposition(std::move(families));
}

}  // namespace

TEST_CASE("exposition: families by name, HELP and TYPE once, values escaped") {
    Store store(0);
    REQUIRE(store.Declare(Make("zeta", Kind::kGauge, {}, "two\nlines \\ and \"quotes\"")));
    REQUIRE(store.Declare(Make("alpha", Kind::kCounter, {"path", "code"}, "first")));
    REQUIRE(store.Declare(Make("unused", Kind::kCounter, {"x"}, "no value yet")));
    REQUIRE(store.Apply(Operation::kAdd, "alpha", 1, {"/b", "200"}));
    REQUIRE(store.Apply(Operation::kAdd, "alpha", 2.5, {"/a\n\"\\", "200"}));
    REQUIRE(store.Apply(Operation::kSet, "zeta", -0.1, {}));
    REQUIRE(TextOf(store) ==
            "# HELP alpha first\n"
            "# TYPE alpha counter\n"
            "alpha{path=\"/a\\n\\\"\\\\\",code=\"200\"} 2.5\n"
            "alpha{path=\"/b\",code=\"200\"} 1\n"
            "# HELP zeta two\\nlines \\\\ and \"quotes\"\n"
            "# TYPE zeta gauge\n"
            "zeta -0.1\n");
}

TEST_CASE("exposition: histograms and summaries") {
    Store store(0);
    Definition h = Make("h", Kind::kHistogram, {"a"}, "");
    h.buckets = {0.5, 10};
    REQUIRE(store.Declare(h));
    REQUIRE(store.Declare(Make("s", Kind::kSummary, {}, "sums")));
    REQUIRE(store.Apply(Operation::kObserve, "h", 0.25, {"1"}));
    REQUIRE(store.Apply(Operation::kObserve, "s", 3, {}));
    REQUIRE(TextOf(store) ==
            "# TYPE h histogram\n"
            "h_count{a=\"1\"} 1\n"
            "h_sum{a=\"1\"} 0.25\n"
            "h_bucket{a=\"1\",le=\"0.5\"} 1\n"
            "h_bucket{a=\"1\",le=\"10\"} 1\n"
            "h_bucket{a=\"1\",le=\"+Inf\"} 1\n"
            "# HELP s sums\n"
            "# TYPE s summary\n"
            "s_count 1\n"
            "s_sum 3\n");
}

TEST_CASE(
    "exposition: numbers that are none, and large ones, are written as Prometheus reads them") {
    Store store(0);
    REQUIRE(store.Declare(Make("g", Kind::kGauge, {"n"}, "")));
    REQUIRE(store.Apply(Operation::kSet, "g", NAN, {"1"}));
    REQUIRE(store.Apply(Operation::kSet, "g", INFINITY, {"2"}));
    REQUIRE(store.Apply(Operation::kSet, "g", -INFINITY, {"3"}));
    REQUIRE(store.Apply(Operation::kSet, "g", 1795245157, {"4"}));
    REQUIRE(TextOf(store) ==
            "# TYPE g gauge\n"
            "g{n=\"1\"} Nan\n"
            "g{n=\"2\"} +Inf\n"
            "g{n=\"3\"} -Inf\n"
            "g{n=\"4\"} 1795245157\n");
}
