#include "plugins/metrics/service.hpp"

#include <array>
#include <string>
#include <utility>

namespace rr::metrics {
namespace {

// Go's struct Metric.
constexpr std::array<RpcField, 3> kMetricFields = {
    RpcField{.name = "name", .long_name = "Name", .kind = RpcKind::kText},
    RpcField{.name = "value", .long_name = "Value", .kind = RpcKind::kDouble},
    RpcField{.name = "labels", .long_name = "Labels", .kind = RpcKind::kText, .list = true},
};
constexpr RpcShape kMetric{"Metric", kMetricFields, false};
enum MetricField : size_t { kName, kValue, kLabels };

// Go's struct Collector.
constexpr std::array<RpcField, 6> kCollectorFields = {
    RpcField{.name = "namespace", .long_name = "Namespace", .kind = RpcKind::kText},
    RpcField{.name = "subsystem", .long_name = "Subsystem", .kind = RpcKind::kText},
    RpcField{.name = "type", .long_name = "Type", .kind = RpcKind::kText},
    RpcField{.name = "help", .long_name = "Help", .kind = RpcKind::kText},
    RpcField{.name = "labels", .long_name = "Labels", .kind = RpcKind::kText, .list = true},
    RpcField{.name = "buckets", .long_name = "Buckets", .kind = RpcKind::kDouble, .list = true},
};
constexpr RpcShape kCollector{"Collector", kCollectorFields, false};
enum CollectorField : size_t { kNamespace, kSubsystem, kType, kHelp, kLabelNames, kBuckets };

// Go's struct NamedCollector.
constexpr std::array<RpcField, 2> kNamedFields = {
    RpcField{.name = "name", .long_name = "Name", .kind = RpcKind::kText},
    RpcField{.name = "collector",
             .long_name = "Collector",
             .kind = RpcKind::kShape,
             .shape = &kCollector},
};
constexpr RpcShape kNamed{"NamedCollector", kNamedFields, false};
enum NamedField : size_t { kKey, kBody };

std::vector<std::string> Texts(const RpcValue& list) {
    std::vector<std::string> texts;
    for (const RpcValue& one : list.list()) {
        texts.emplace_back(one.text());
    }
    return texts;
}

void Finish(const Result<void>& result, RpcReply reply) {
    if (result) {
        reply.Send(RpcValue(true));
    } else {
        reply.Fail(result.error().message);
    }
}

}  // namespace

void MetricsService::Describe(std::vector<RpcMethod>& methods) {
    const auto add = [&](std::string_view name, Operation operation) {
        methods.push_back({name, RpcType::Struct(kMetric), RpcType::Bool(),
                           [this, operation](const RpcArgument& argument, RpcReply reply) {
                               Apply(operation, *argument.value, std::move(reply));
                           }});
    };
    add("Add", Operation::kAdd);
    add("Sub", Operation::kSub);
    add("Set", Operation::kSet);
    add("Observe", Operation::kObserve);
    methods.push_back({"Declare", RpcType::Struct(kNamed), RpcType::Bool(),
                       [this](const RpcArgument& argument, RpcReply reply) {
                           Declare(*argument.value, std::move(reply));
                       }});
    methods.push_back({"Unregister", RpcType::Text(), RpcType::Bool(),
                       [this](const RpcArgument& argument, RpcReply reply) {
                           Finish(store_->Unregister(std::string(argument.bytes)),
                                  std::move(reply));
                       }});
}

void MetricsService::Apply(Operation operation, const RpcValue& value, RpcReply reply) {
    Finish(store_->Apply(operation, std::string(value[kName].text()), value[kValue].number(),
                         Texts(value[kLabels])),
           std::move(reply));
}

void MetricsService::Declare(const RpcValue& value, RpcReply reply) {
    const RpcValue& body = value[kBody];
    Definition definition;
    definition.name = value[kKey].text();
    definition.space = body[kNamespace].text();
    definition.subsystem = body[kSubsystem].text();
    definition.help = body[kHelp].text();
    definition.labels = Texts(body[kLabelNames]);
    for (const RpcValue& bucket : body[kBuckets].list()) {
        definition.buckets.push_back(bucket.number());
    }
    const std::string_view type = body[kType].text();
    if (!KindOf(type, definition.kind) && !store_->Has(definition.name)) {
        reply.Fail("metrics_plugin_declare: unknown collector type " + std::string(type));
        return;
    }
    Finish(store_->Declare(std::move(definition)), std::move(reply));
}

}  // namespace rr::metrics
