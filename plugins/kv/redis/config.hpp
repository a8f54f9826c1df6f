// RedisConfig: `kv.<storage>.config` of the driver redis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/net/address.hpp"
#include "plugins/kv/link.hpp"

namespace rr::config {
class Section;
}

namespace rr::kv::redis {

struct RedisConfig {
    enum class Mode : uint8_t {
        kSingle,    // one address
        kCluster,   // two or more
        kSentinel,  // with master_name: the addresses are those of sentinels
    };
    Mode mode = Mode::kSingle;
    std::vector<net::Address> addrs;
    std::string master_name;
    std::string username;
    std::string password;
    std::string sentinel_password;
    int64_t db = 0;

    Duration read_timeout = std::chrono::seconds(3);  // of a whole call, with every attempt
    LinkSettings link;

    // Of a cluster: who answers reads. Else the master does.
    bool read_only = false;         // a replica
    bool route_by_latency = false;  // the nearest node
    bool route_randomly = false;    // any node

    bool replicas() const { return read_only || route_by_latency || route_randomly; }
};

RedisConfig ParseRedisConfig(const config::Section& section);

}  // namespace rr::kv::redis
