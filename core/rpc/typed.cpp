#include "core/rpc/typed.hpp"

namespace rr::rpc {

const char* NameOf(Form form) {
    switch (form) {
        case Form::kNull: return "null";
        case Form::kBool: return "bool";
        case Form::kInt:
        case Form::kUint:
        case Form::kDouble: return "number";
        case Form::kText: return "string";
        case Form::kBytes: return "bytes";
        case Form::kList: return "array";
        case Form::kMap: return "object";
    }
    return "value";
}

const char* NameOf(RpcKind kind) {
    switch (kind) {
        case RpcKind::kNothing: return "nothing";
        case RpcKind::kBool: return "bool";
        case RpcKind::kInt: return "int64";
        case RpcKind::kUint: return "uint64";
        case RpcKind::kDouble: return "float64";
        case RpcKind::kFloat: return "float32";
        case RpcKind::kText: return "string";
        case RpcKind::kBytes: return "bytes";
        case RpcKind::kShape: return "struct";
    }
    return "value";
}

bool SameKey(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [&](char x, char y) { return lower(x) == lower(y); });
}

int FindField(const RpcShape& shape, std::string_view key) {
    int loose = -1;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
        const RpcField& field = shape.fields[i];
        if (key == field.name || (!field.long_name.empty() && key == field.long_name)) {
            return static_cast<int>(i);
        }
        if (loose < 0 && (SameKey(key, field.name) ||
                          (!field.long_name.empty() && SameKey(key, field.long_name)))) {
            loose = static_cast<int>(i);
        }
    }
    return loose;
}

}  // namespace rr::rpc
