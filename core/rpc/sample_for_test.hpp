// Shapes of every kind, for tests and fuzz targets: messages as in sample.proto, structs as
// RoadRunner's informer has them.
#pragma once

#include "core/api/rpc.hpp"

namespace rr::rpc::sample {

inline constexpr RpcField kItemFields[] = {
    {"key", "Key", RpcKind::kText, 1},
    {"value", "Value", RpcKind::kBytes, 2},
    {"timeout", "Timeout", RpcKind::kText, 3},
};
inline constexpr RpcShape kItem{"Item", kItemFields, true};

inline constexpr RpcField kRequestFields[] = {
    {"storage", "Storage", RpcKind::kText, 1},
    {"items", "Items", RpcKind::kShape, 2, true, false, &kItem},
};
inline constexpr RpcShape kRequest{"Request", kRequestFields, true};

inline constexpr RpcField kAllFields[] = {
    {"flag", "Flag", RpcKind::kBool, 1},
    {"whole", "Whole", RpcKind::kInt, 2},
    {"natural", "Natural", RpcKind::kUint, 3},
    {"real", "Real", RpcKind::kDouble, 4},
    {"small_real", "SmallReal", RpcKind::kFloat, 5},
    {"text", "Text", RpcKind::kText, 6},
    {"blob", "Blob", RpcKind::kBytes, 7},
    {"item", "Item", RpcKind::kShape, 8, false, false, &kItem},
    {"numbers", "Numbers", RpcKind::kInt, 9, true},
    {"texts", "Texts", RpcKind::kText, 10, true},
    {"env", "Env", RpcKind::kText, 11, false, true},
    {"items", "Items", RpcKind::kShape, 12, false, true, &kItem},
};
inline constexpr RpcShape kAll{"All", kAllFields, true};

inline constexpr RpcField kStateFields[] = {
    {"pid", "Pid", RpcKind::kInt},
    {"status", "Status", RpcKind::kInt},
    {"numExecs", "NumExecs", RpcKind::kUint},
    {"created", "Created", RpcKind::kInt},
    {"memoryUsage", "MemoryUsage", RpcKind::kUint},
    {"CPUPercent", "CPUPercent", RpcKind::kDouble},
    {"command", "Command", RpcKind::kText},
    {"statusStr", "StatusStr", RpcKind::kText},
};
inline constexpr RpcShape kState{"process.State", kStateFields};

inline constexpr RpcField kWorkersFields[] = {
    {"workers", "Workers", RpcKind::kShape, 0, true, false, &kState},
};
inline constexpr RpcShape kWorkers{"WorkerList", kWorkersFields};

inline constexpr RpcField kMetricFields[] = {
    {"name", "Name", RpcKind::kText},
    {"value", "Value", RpcKind::kDouble},
    {"labels", "Labels", RpcKind::kText, 0, true},
};
inline constexpr RpcShape kMetric{"Metric", kMetricFields};

// The worker of the captured gob answer.
inline RpcValue Worker() {
    return RpcValue(RpcValue::List{RpcValue(int64_t{23286}), RpcValue(int64_t{1}),
                                   RpcValue(uint64_t{1}), RpcValue(int64_t{1795230831433762184}),
                                   RpcValue(uint64_t{30752768}), RpcValue(0.7675731354103225),
                                   RpcValue(""), RpcValue("ready")});
}

}  // namespace rr::rpc::sample
