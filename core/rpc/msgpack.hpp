// MessagePack as RoadRunner reads and writes it: structs are maps with Go's names of the fields,
// whole numbers are written with 64 bits.
//
// Thread: any.
#pragma once

#include <string>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"

namespace rr::rpc {

// False: `problem` says why the bytes are no MessagePack, or do not fit the type.
[[nodiscard]] bool ReadMsgpack(Bytes body, const RpcType& type, RpcValue& out,
                               std::string& problem);

void WriteMsgpack(const RpcValue& value, const RpcType& type, Buffer& out);

}  // namespace rr::rpc
