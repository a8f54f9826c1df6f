// The Goridge v2 prefix: 17 bytes decide, and what is read is written back the same.
#include "relay/frame_v2.hpp"

#include <cstdint>
#include <string>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::relay::v2;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    constexpr uint64_t kLimit = 1 << 20;

    Prefix p;
    Scan scan = ScanPrefix(in, kLimit, p);
    RR_CHECK((scan == Scan::kNeedMore) == (size < kPrefixSize));
    if (scan == Scan::kPrefix) {
        RR_CHECK(p.payload <= kLimit);
        std::string again(kPrefixSize, '\0');
        EncodePrefix(p, again.data());
        RR_CHECK((p.flags & flag::kNone) != 0 || again == in.substr(0, kPrefixSize));
        Prefix reread;
        RR_CHECK(ScanPrefix(again, kLimit, reread) == Scan::kPrefix);
        RR_CHECK(reread.flags == p.flags && reread.payload == p.payload);
    }
    return 0;
}
