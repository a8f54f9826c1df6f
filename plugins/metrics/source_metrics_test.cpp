#include "plugins/metrics/source_metrics.hpp"

#include <catch2/catch.hpp>

#include "plugins/metrics/exposition.hpp"

using namespace rr;
using namespace rr::metrics;

namespace {

class Source final : public MetricSource {
public:
    void Collect(std::vector<MetricFamily>& families) const override {
        families.push_back({"rr_x_total",
                            "What x counted",
                            MetricFamily::Kind::kCounter,
                            {{{{"server", "a\"b"}}, 3}, {{{"server", "c"}}, 4}}});
        families.push_back({"rr_x_now", "How many x there are", MetricFamily::Kind::kGauge, {}});
    }
};

}  // namespace

TEST_CASE("metrics: what a plugin counts by itself is shown with its labels") {
    Source source;
    std::vector<prometheus::MetricFamily> families;
    CollectSources({&source}, families);
    std::string text = Exposition(std::move(families));
    REQUIRE(text.find("# TYPE rr_x_total counter\n") != std::string::npos);
    REQUIRE(text.find("rr_x_total{server=\"a\\\"b\"} 3\n") != std::string::npos);
    REQUIRE(text.find("rr_x_total{server=\"c\"} 4\n") != std::string::npos);
    REQUIRE(SourceNames({&source}) == std::vector<std::string>{"rr_x_total", "rr_x_now"});
}
