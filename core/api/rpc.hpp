// RpcService: methods that a plugin offers over RPC. It says what a method takes and gives; which
// codec the client speaks (JSON, MessagePack, protobuf, raw, gob) is not its business.
//
//   class LockService final : public RpcService {
//       std::string_view rpc_name() const override { return "lock"; }
//       void Describe(std::vector<RpcMethod>& methods) override {
//           methods.push_back({"Lock", RpcType::Message(kRequest), RpcType::Message(kResponse),
//                              [this](const RpcArgument& in, RpcReply reply) { ... }});
//       }
//   };
//   container.Publish<RpcService>(service);   // in Init; several may have one name
//
// Thread: main: every call, and every answer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"

namespace google::protobuf {
class MessageLite;
}

namespace rr {

// Of `rpc.listen`, where the section is there and does not say.
inline constexpr std::string_view kDefaultRpcListen = "tcp://127.0.0.1:6001";

struct RpcShape;

enum class RpcKind : uint8_t {
    kNothing,  // argument: any, not looked at; result: none
    kBool,
    kInt,   // int64, int32
    kUint,  // uint64, uint32
    kDouble,
    kFloat,  // 32 bits in protobuf
    kText,   // UTF-8
    kBytes,  // any bytes; base64 in JSON
    kShape,  // a struct, or a protobuf message
};

// A field of a struct, or of a protobuf message.
struct RpcField {
    std::string_view name;       // in JSON, and in the .proto
    std::string_view long_name;  // Go's: MessagePack and gob; empty: as `name`
    RpcKind kind = RpcKind::kNothing;
    uint32_t number = 0;  // protobuf's; 0: a plain struct, all fields are always written
    bool list = false;    // repeated
    bool map = false;     // protobuf map<string, kind>: an object in JSON
    const RpcShape* shape = nullptr;  // of kShape
};

struct RpcShape {
    std::string_view name;  // Go's type name: WorkerList
    std::span<const RpcField> fields;
    bool message = false;  // protobuf: zero values are left out, JSON names as in the .proto
};

struct RpcType {
    RpcKind kind = RpcKind::kNothing;
    bool list = false;
    const RpcShape* shape = nullptr;

    static constexpr RpcType Nothing() { return {}; }
    static constexpr RpcType Bool() { return {RpcKind::kBool}; }
    static constexpr RpcType Text() { return {RpcKind::kText}; }
    static constexpr RpcType TextList() { return {RpcKind::kText, true}; }
    static constexpr RpcType ByteString() { return {RpcKind::kBytes}; }
    static constexpr RpcType Struct(const RpcShape& shape) {
        return {RpcKind::kShape, false, &shape};
    }
    static constexpr RpcType StructList(const RpcShape& shape) {
        return {RpcKind::kShape, true, &shape};
    }
    // A protobuf message: the method reads and writes it in wire format, whatever the client spoke.
    static constexpr RpcType Message(const RpcShape& shape) {
        return {RpcKind::kShape, false, &shape};
    }
};

// RpcValue: a struct, list or scalar. A struct's values stand in the order of its shape's fields.
class RpcValue {
public:
    using List = std::vector<RpcValue>;
    RpcValue() = default;                                 // null
    RpcValue(bool v) : v_(v) {}                           // NOLINT: reads like the value itself
    RpcValue(int64_t v) : v_(v) {}                        // NOLINT
    RpcValue(uint64_t v) : v_(v) {}                       // NOLINT
    RpcValue(double v) : v_(v) {}                         // NOLINT
    RpcValue(std::string v) : v_(std::move(v)) {}         // NOLINT
    RpcValue(std::string_view v) : v_(std::string(v)) {}  // NOLINT
    RpcValue(const char* v) : v_(std::string(v)) {}       // NOLINT
    RpcValue(List v) : v_(std::move(v)) {}                // NOLINT: a list, or a struct's fields

    bool null() const { return v_.index() == 0; }
    // The value as asked for; zero if it is null. REQUIRES: the type its shape says.
    bool flag() const { return Or<bool>(false); }
    int64_t integer() const { return Or<int64_t>(0); }
    uint64_t natural() const { return Or<uint64_t>(0); }
    double number() const { return Or<double>(0); }
    std::string_view text() const {
        const auto* s = std::get_if<std::string>(&v_);
        return s != nullptr ? std::string_view(*s) : std::string_view();
    }
    const List& list() const {
        static const List kEmpty;
        const auto* l = std::get_if<List>(&v_);
        return l != nullptr ? *l : kEmpty;
    }
    // The list, to append to; what was no list becomes an empty one.
    List& MakeList() {
        auto* l = std::get_if<List>(&v_);
        return l != nullptr ? *l : v_.emplace<List>();
    }
    // Field `i` of a struct; null if the client did not send it.
    const RpcValue& operator[](size_t i) const {
        static const RpcValue kNull;
        return i < list().size() ? list()[i] : kNull;
    }

private:
    template <class T>
    T Or(T fallback) const {
        const T* held = std::get_if<T>(&v_);
        return held != nullptr ? *held : fallback;
    }
    std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, List> v_;
};

// What the client sent; valid during the call. An empty body is the zero value.
struct RpcArgument {
    bool flag = false;  // kBool
    Bytes bytes;        // kText, kBytes; of a protobuf message: its wire format, well-formed
    const RpcValue* value = nullptr;  // structs and lists; never null then
};

// Where a call's answer goes. For RpcReply and the rpc plugin.
class RpcCall {
public:
    virtual void Answer(const RpcValue& value) = 0;  // of the method's type
    virtual void AnswerMessage(const google::protobuf::MessageLite& message) = 0;
    virtual void AnswerBytes(Bytes bytes) = 0;  // kText, kBytes, or a message in wire format
    virtual void AnswerError(std::string_view text) = 0;

protected:
    ~RpcCall() = default;
};

// RpcReply: the right, and the duty, to answer one call: now or later, exactly once. One that dies
// unused answers with an error. The client may be gone meanwhile: the answer is then dropped.
class [[nodiscard]] RpcReply {
public:
    explicit RpcReply(RpcCall& call) : call_(&call) {}
    RpcReply(RpcReply&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    RpcReply& operator=(RpcReply&& other) noexcept {
        std::swap(call_, other.call_);
        return *this;
    }
    ~RpcReply() {
        if (call_ != nullptr) {
            call_->AnswerError("the call was not answered: this is a bug of the server");
        }
    }

    void Send(const RpcValue& value) { Take()->Answer(value); }
    void Send(const google::protobuf::MessageLite& message) { Take()->AnswerMessage(message); }
    void SendBytes(Bytes bytes) { Take()->AnswerBytes(bytes); }
    // text: as RoadRunner's, operations outermost first, joined by `:\n\t`.
    void Fail(std::string_view text) { Take()->AnswerError(text); }

private:
    RpcCall* Take() { return std::exchange(call_, nullptr); }
    RpcCall* call_;
};

struct RpcMethod {
    std::string_view name;  // `Lock`; lives as long as the service
    RpcType argument;
    RpcType result;
    Callback<void(const RpcArgument&, RpcReply)> call;
};

class RpcService {
public:
    virtual std::string_view rpc_name() const = 0;
    // Appends its methods. Once, when the rpc plugin is served.
    virtual void Describe(std::vector<RpcMethod>& methods) = 0;

protected:
    ~RpcService() = default;
};

}  // namespace rr
