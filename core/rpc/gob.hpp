// Go's gob, as far as RoadRunner's own command line needs it: it asks with a bool or a string, and
// reads every kind of answer. A value comes with the definitions of its types in front of it.
//
//   message  = length, then: -id and a definition, or id and a value
//   uint     = one byte below 128, else the negated count of bytes, then those, highest first
//   int      = a uint: bit 0 is the sign, ~n if it is set
//   float    = a uint: its 8 bytes in reverse
//   struct   = for each field that is not zero: distance from the field before, value; then 0
//
// Thread: any.
#pragma once

#include <string>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"

namespace rr::rpc {

// False: `problem` says what is wrong, or that a struct was sent.
[[nodiscard]] bool ReadGob(Bytes body, const RpcType& type, RpcValue& out, std::string& problem);

void WriteGob(const RpcValue& value, const RpcType& type, Buffer& out);

}  // namespace rr::rpc
