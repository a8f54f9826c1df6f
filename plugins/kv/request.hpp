// Request: the message of every call: which storage, which items.
//
//   Request { string storage = 1; repeated Item items = 2; }
//   Item    { string key = 1; bytes value = 2; string timeout = 3; }
//
// Read without copies: everything points into the bytes that came.
//
// Thread: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"
#include "plugins/kv/store.hpp"

namespace rr::kv {

struct Request {
    std::string_view storage;
    std::vector<Item> items;  // without `expires`
};

// The types of the methods' arguments and results, for codecs other than protobuf.
extern const RpcShape kRequestShape;
extern const RpcShape kResponseShape;

// False: no protobuf. Fields that are not known are passed over.
[[nodiscard]] bool ReadRequest(Bytes wire, Request& request);

}  // namespace rr::kv
