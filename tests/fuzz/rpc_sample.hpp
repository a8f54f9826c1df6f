// The shapes that the RPC fuzz targets read: every kind of field, structs and messages.
#pragma once

#include <array>

#include "core/rpc/sample_for_test.hpp"

namespace rr::rpc::sample {

inline constexpr std::array kTypes = {
    RpcType::Bool(),           RpcType::Text(),
    RpcType::TextList(),       RpcType::ByteString(),
    RpcType{RpcKind::kInt},    RpcType{RpcKind::kUint},
    RpcType{RpcKind::kDouble}, RpcType::Struct(kMetric),
    RpcType::Struct(kWorkers), RpcType::StructList(kState),
    RpcType::Message(kAll),    RpcType::Message(kRequest),
};

}  // namespace rr::rpc::sample
