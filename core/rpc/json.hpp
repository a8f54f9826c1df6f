// JSON as RoadRunner reads and writes it: Go's encoding/json, letter for letter in what it writes.
//
// Thread: any; reading keeps a parser per thread.
#pragma once

#include <string>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"

namespace rr::rpc {

// False: `problem` says why the text is no JSON, or does not fit the type.
[[nodiscard]] bool ReadJson(Bytes text, const RpcType& type, RpcValue& out, std::string& problem);

// Byte strings are base64, structs have all their fields, messages those that are not zero.
void WriteJson(const RpcValue& value, const RpcType& type, Buffer& out);

void WriteJsonBase64(Bytes bytes, Buffer& out);

}  // namespace rr::rpc
