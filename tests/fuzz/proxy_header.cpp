// The PROXY protocol's header: what is complete stays so with anything behind it, and is not so with
// a byte less; what is refused stays refused.
#include "core/net/proxy_header.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using rr::net::ProxyHeader;
    using Status = ProxyHeader::Status;
    std::string_view in(reinterpret_cast<const char*>(data), size);
    ProxyHeader whole = rr::net::ReadProxyHeader(in);
    RR_CHECK(whole.status != Status::kNeedMore || size < ProxyHeader::kLargest);
    if (whole.status == Status::kComplete) {
        RR_CHECK(whole.size > 0 && whole.size <= size && whole.size <= ProxyHeader::kLargest);
        ProxyHeader exact = rr::net::ReadProxyHeader(in.substr(0, whole.size));
        RR_CHECK(exact.status == Status::kComplete && exact.size == whole.size);
        RR_CHECK(exact.peer == whole.peer);
        RR_CHECK(rr::net::ReadProxyHeader(in.substr(0, whole.size - 1)).status ==
                 Status::kNeedMore);
    }
    if (whole.status == Status::kInvalid) {
        RR_CHECK(*whole.fault != '\0');
        RR_CHECK(rr::net::ReadProxyHeader(std::string(in) + "\r\n").status == Status::kInvalid);
    }
    return 0;
}
