// What codecs ask of types and values. A protobuf map is a list of pairs: each a list of the key, a
// text, and the value.
//
// Thread: values only.
#pragma once

#include "core/api/rpc.hpp"

namespace rr::rpc {

inline RpcField AsField(const RpcType& type) {
    RpcField field;
    field.kind = type.kind;
    field.list = type.list;
    field.shape = type.shape;
    return field;
}

// One item of a list or map.
inline RpcField Single(const RpcField& field) {
    RpcField one = field;
    one.list = false;
    one.map = false;
    return one;
}

inline std::string_view GoName(const RpcField& field) {
    return field.long_name.empty() ? field.name : field.long_name;
}

inline bool IsMessage(const RpcType& type) {
    return type.kind == RpcKind::kShape && !type.list && type.shape->message;
}

// What protobuf leaves out. A message is there once somebody sent it.
inline bool IsZero(const RpcValue& value, const RpcField& field) {
    if (value.null()) {
        return true;
    }
    if (field.list || field.map) {
        return value.list().empty();
    }
    switch (field.kind) {
        case RpcKind::kNothing: return true;
        case RpcKind::kBool: return !value.flag();
        case RpcKind::kInt: return value.integer() == 0;
        case RpcKind::kUint: return value.natural() == 0;
        case RpcKind::kDouble:
        case RpcKind::kFloat: return value.number() == 0;
        case RpcKind::kText:
        case RpcKind::kBytes: return value.text().empty();
        case RpcKind::kShape: return false;
    }
    return true;
}

}  // namespace rr::rpc
