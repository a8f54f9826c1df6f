// The PROXY protocol's header, versions 1 (text) and 2 (binary): a proxy in front says whom it
// speaks for, before the first byte of the client.
//
// Thread: pure functions. The bytes come from strangers: everything is checked against its limit.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"

namespace rr::net {

struct ProxyHeader {
    enum class Status : uint8_t {
        kNeedMore,  // a header may still become complete
        kComplete,
        kInvalid,  // no header, or a broken one: the connection is to be closed
    };
    static constexpr size_t kLargest = 4096;  // bytes of a header, TLVs of version 2 included

    Status status = Status::kNeedMore;
    size_t size = 0;   // bytes that the header took; the client's own follow
    std::string peer;  // `203.0.113.7:40000`, `[2001:db8::1]:40000`; empty: the proxy speaks for
                       // itself (UNKNOWN, LOCAL), or for a Unix socket
    const char* fault = "";  // of kInvalid, for the log
};

// in: what came so far.
ProxyHeader ReadProxyHeader(Bytes in);

}  // namespace rr::net
