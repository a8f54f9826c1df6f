#include "plugins/metrics/service.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::metrics;

namespace {

class Call final : public RpcCall {
public:
    void Answer(const RpcValue& value) override { result = value.flag() ? "true" : "false"; }
    void AnswerMessage(const google::protobuf::MessageLite&) override {}
    void AnswerBytes(Bytes) override {}
    void AnswerError(std::string_view text) override { result = text; }
    std::string result;
};

struct Fixture {
    Fixture() {
        service.Open(store);
        service.Describe(methods);
    }
    std::string Ask(std::string_view method, const RpcValue& value, Bytes bytes = {}) {
        Call call;
        for (RpcMethod& one : methods) {
            if (one.name == method) {
                one.call({.bytes = bytes, .value = &value}, RpcReply(call));
            }
        }
        return call.result;
    }
    std::string Declare(const char* name, const char* type, RpcValue::List buckets = {}) {
        RpcValue::List labels;
        labels.emplace_back("a");
        RpcValue::List body = {"ns", "", type, "help", std::move(labels), std::move(buckets)};
        return Ask("Declare", RpcValue::List{name, std::move(body)});
    }
    static RpcValue Metric(const char* name, double value, const char* label = "x") {
        RpcValue::List labels;
        labels.emplace_back(label);
        return RpcValue::List{name, value, std::move(labels)};
    }
    Store store{0};
    MetricsService service;
    std::vector<RpcMethod> methods;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "metrics service: six methods, with the structs of RoadRunner") {
    REQUIRE(service.rpc_name() == "metrics");
    REQUIRE(methods.size() == 6);
    REQUIRE(methods[0].argument.shape->fields[0].name == "name");
    REQUIRE(methods[4].name == "Declare");
    REQUIRE(methods[5].argument.kind == RpcKind::kText);
}

TEST_CASE_METHOD(Fixture, "metrics service: a metric is declared, used and taken away") {
    REQUIRE(Declare("c", "counter") == "true");
    REQUIRE(Declare("c", "gauge") == "true");
    REQUIRE(Declare("c", "nonsense") == "true");
    REQUIRE(Ask("Add", Metric("c", 2)) == "true");
    REQUIRE(Ask("Sub", Metric("c", 2)) ==
            "metrics_plugin_sub: collector `c` does not support method `Sub`");
    REQUIRE(Declare("h", "histogram", {0.5, 1.0}) == "true");
    REQUIRE(Ask("Observe", Metric("h", 0.7)) == "true");
    REQUIRE(Ask("Unregister", {}, "h") == "true");
    REQUIRE(Ask("Unregister", {}, "h") == "metrics_plugin_unregister: undefined collector h");
    std::vector<prometheus::MetricFamily> families;
    store.Collect(families);
    REQUIRE(families.size() == 1);
    REQUIRE(families[0].name == "ns_c");
    REQUIRE(families[0].metric.at(0).label.at(0).value == "x");
}

TEST_CASE_METHOD(Fixture, "metrics service: nothing at all is an error and no more") {
    REQUIRE(Ask("Declare", {}) == "metrics_plugin_declare: unknown collector type ");
    REQUIRE(Declare("x", "meter") == "metrics_plugin_declare: unknown collector type meter");
    REQUIRE(Declare("h", "histogram", {2.0, 1.0}) ==
            "metrics_plugin_declare: histogram buckets must be in increasing order");
    REQUIRE(Ask("Add", {}) ==
            "metrics_plugin_add: undefined collector , try first Declare the desired collector");
}
