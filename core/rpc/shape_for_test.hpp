// CheckShape: an RpcShape says by hand what a .proto says; a test compares them.
//
//   rr_descriptors(plugin_lock_tests lock.proto)               # in CMakeLists.txt, after rr_plugin
//   REQUIRE(CheckShape(kRequest, "lock.v1beta1.Request") == "");   // in a test of that target
#pragma once

#include <fstream>
#include <set>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "core/api/rpc.hpp"

namespace rr::rpc {

class ShapeChecker final {
public:
    // file: written by protoc --descriptor_set_out.
    std::string Check(const RpcShape& shape, const std::string& file, const std::string& message) {
        std::ifstream in(file, std::ios::binary);
        google::protobuf::FileDescriptorSet set;
        if (!set.ParseFromIstream(&in)) {
            return file + ": no descriptors";
        }
        google::protobuf::DescriptorPool pool;
        for (const auto& one : set.file()) {
            if (pool.BuildFile(one) == nullptr) {
                return one.name() + ": is not valid";
            }
        }
        const auto* found = pool.FindMessageTypeByName(message);
        return found == nullptr ? message + ": not in " + file : Compare(shape, *found);
    }

private:
    using Field = google::protobuf::FieldDescriptor;

    static bool Fits(RpcKind kind, const Field& field) {
        switch (field.type()) {
            case Field::TYPE_BOOL: return kind == RpcKind::kBool;
            case Field::TYPE_INT32:
            case Field::TYPE_INT64:
            case Field::TYPE_ENUM: return kind == RpcKind::kInt;
            case Field::TYPE_UINT32:
            case Field::TYPE_UINT64: return kind == RpcKind::kUint;
            case Field::TYPE_DOUBLE: return kind == RpcKind::kDouble;
            case Field::TYPE_FLOAT: return kind == RpcKind::kFloat;
            case Field::TYPE_STRING: return kind == RpcKind::kText;
            case Field::TYPE_BYTES: return kind == RpcKind::kBytes;
            case Field::TYPE_MESSAGE: return kind == RpcKind::kShape;
            default: return false;
        }
    }

    std::string Compare(const RpcShape& shape, const google::protobuf::Descriptor& message) {
        if (!seen_.insert(message.full_name()).second) {
            return "";
        }
        const std::string& where = message.full_name();
        if (!shape.message) {
            return where + ": the shape is no message";
        }
        if (static_cast<size_t>(message.field_count()) != shape.fields.size()) {
            return where + ": has " + std::to_string(message.field_count()) + " fields";
        }
        for (const RpcField& mine : shape.fields) {
            const Field* field = message.FindFieldByNumber(static_cast<int>(mine.number));
            if (field == nullptr || field->name() != mine.name) {
                return where + "." + std::string(mine.name) + ": another name or number";
            }
            if (mine.map != field->is_map() ||
                mine.list != (field->is_repeated() && !field->is_map())) {
                return where + "." + std::string(mine.name) + ": list or map";
            }
            const Field* value =
                field->is_map() ? field->message_type()->FindFieldByNumber(2) : field;
            if (!Fits(mine.kind, *value)) {
                return where + "." + std::string(mine.name) + ": is a " + value->type_name();
            }
            if (mine.kind == RpcKind::kShape) {
                if (auto problem = Compare(*mine.shape, *value->message_type()); !problem.empty()) {
                    return problem;
                }
            }
        }
        return "";
    }

    std::set<std::string> seen_;
};

#ifdef RR_DESCRIPTORS
// Empty: the shape is the message. Otherwise what differs first.
inline std::string CheckShape(const RpcShape& shape, const std::string& message) {
    return ShapeChecker().Check(shape, RR_DESCRIPTORS, message);
}
#endif

}  // namespace rr::rpc
