// From the bytes of a codec to a method's argument, and from its result to bytes.
//
//   codec     argument                             result
//   JSON      json.hpp                             json.hpp
//   PROTO     messages only; bytes pass through    messages only
//   RAW       byte strings; others stay zero       byte strings only
//   MSGPACK   msgpack.hpp                          msgpack.hpp
//   GOB       gob.hpp: what RoadRunner's own command line sends and reads
//
// A message (RpcShape::message) is its wire format on the side of the method, whatever the client
// speaks; proto.hpp translates. An empty body is the zero value in every codec.
#pragma once

#include <string>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"
#include "core/rpc/wire.hpp"

namespace rr::rpc {

// Argument: a decoded argument with the memory behind it; one serves call after call.
//
// Thread: its user's. Owns: what was decoded. Borrows the body that it was decoded from.
class Argument {
public:
    // True: view() holds until the next call. False: `problem` is the text for the client.
    [[nodiscard]] bool Decode(const Request& request, const RpcType& type, std::string& problem);

    const RpcArgument& view() const { return view_; }

    // Gives back what a large one took.
    void Clear();

private:
    bool DecodeJson(Bytes body, const RpcType& type, std::string& problem);
    bool DecodeProto(Bytes body, const RpcType& type, std::string& problem);
    bool DecodeTree(Codec codec, Bytes body, const RpcType& type, std::string& problem);
    void Take(const RpcType& type);

    RpcArgument view_;
    RpcValue value_;
    std::string text_;
};

// What a method answers with.
class MethodResult {
public:
    explicit MethodResult(const RpcValue& value) : value_(&value) {}
    explicit MethodResult(Bytes bytes) : bytes_(bytes) {}
    explicit MethodResult(const google::protobuf::MessageLite& message) : message_(&message) {}

    // Appends it to `out`. codec: kNone (v2) takes kRaw for byte strings, else kJson, and says so in
    // `codec`. False: `problem` is the text for the client, and `out` may have a part of the answer.
    [[nodiscard]] bool Encode(Codec& codec, const RpcType& type, Buffer& out,
                              std::string& problem) const;

private:
    bool EncodeProto(const RpcType& type, Buffer& out, std::string& problem) const;
    bool EncodeFields(Codec codec, const RpcType& type, Buffer& out, std::string& problem) const;
    bool EncodeWire(const RpcShape& shape, Buffer& out, std::string& problem) const;
    bool AsValue(const RpcType& type, RpcValue& storage, const RpcValue*& value,
                 std::string& problem) const;

    const RpcValue* value_ = nullptr;
    Bytes bytes_;
    const google::protobuf::MessageLite* message_ = nullptr;
};

}  // namespace rr::rpc
