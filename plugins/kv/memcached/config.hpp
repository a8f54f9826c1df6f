// MemcachedConfig: `kv.<storage>.config` of the driver memcached.
#pragma once

#include <vector>

#include "core/base/time.hpp"
#include "core/net/address.hpp"
#include "plugins/kv/link.hpp"

namespace rr::config {
class Section;
}

namespace rr::kv::memcached {

struct MemcachedConfig {
    std::vector<net::Address> addr;  // the order counts: it says which server has which key
    Duration read_timeout = std::chrono::milliseconds(500);  // of a whole call
    LinkSettings link;
};

MemcachedConfig ParseMemcachedConfig(const config::Section& section);

}  // namespace rr::kv::memcached
