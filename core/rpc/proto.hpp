// Protobuf's wire format by shape, for clients that call a message's method with another codec.
//
// Unknown fields, and known ones of another wire type, are passed over.
//
// Thread: values only.
#pragma once

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"

namespace rr::rpc {

// True if generated code for that shape parses it: lengths, nesting, UTF-8 of texts.
[[nodiscard]] bool CheckMessage(const RpcShape& shape, Bytes wire);

// The same, with the values.
[[nodiscard]] bool ReadMessage(const RpcShape& shape, Bytes wire, RpcValue& out);

// Appends the wire format; what is zero stays out.
void WriteMessage(const RpcShape& shape, const RpcValue& value, Buffer& out);

}  // namespace rr::rpc
