// RpcConfig: the `rpc` section.
#pragma once

#include <cstdint>
#include <string>

#include "core/net/address.hpp"

namespace rr::config {
class Section;
}

namespace rr::rpc {

struct RpcConfig {
    net::Address listen;                        // `listen`
    uint32_t max_payload = 64U << 20;           // bytes of one request
    size_t max_write_queue = size_t{16} << 20;  // bytes of answers that a client did not read
};

RpcConfig ParseRpcConfig(const config::Section& section);

}  // namespace rr::rpc
