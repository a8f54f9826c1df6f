// What a redis cluster and its sentinels say about who has what, as values.
//
// Thread: plain functions.
// Fails:  the parsers: kProtocol for a reply of another shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/net/address.hpp"
#include "plugins/kv/redis/reply.hpp"

namespace rr::kv::redis {

inline constexpr size_t kSlots = 16384;

// The slot of a key: of what stands between the first { and the next }, if anything does.
uint16_t SlotOf(std::string_view key);

// Some slots and who has them.
struct SlotRange {
    uint16_t first = 0;
    uint16_t last = 0;
    std::vector<net::Address> nodes;  // the master first; at least one
};

// The reply to CLUSTER SLOTS. A node without a host is the one that answered: `from`.
Result<std::vector<SlotRange>> ParseSlots(const Reply& reply, const net::Address& from);

// `MOVED 3999 127.0.0.1:6381` and `ASK 3999 127.0.0.1:6381`.
struct Redirect {
    bool ask = false;
    uint16_t slot = 0;
    net::Address node;
};
// Null: the text of the error is no redirection.
std::optional<Redirect> ParseRedirect(std::string_view text, const net::Address& from);

// The reply to SENTINEL get-master-addr-by-name. kNotFound: the sentinel knows no such master.
Result<net::Address> ParseMaster(const Reply& reply);

}  // namespace rr::kv::redis
