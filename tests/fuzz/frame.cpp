// The Goridge v3 header: what is read is written back the same, and a header that is refused or
// accepted as a whole is never accepted or refused in part.
#include "relay/frame.hpp"

#include <cstdint>
#include <string>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::relay;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    constexpr uint32_t kLimit = 1 << 20;

    FrameHeader h;
    FrameScan whole = ScanFrameHeader(in, kLimit, h);
    RR_CHECK(Describe(whole.error) != nullptr);
    RR_CHECK((whole.status == FrameStatus::kBad) == (whole.error != FrameError::kNone));
    for (size_t n = 0; n < size && n < kFrameHeaderMax; ++n) {
        FrameHeader part;
        FrameScan scan = ScanFrameHeader(in.substr(0, n), kLimit, part);
        if (scan.status == FrameStatus::kNeedMore) {
            continue;
        }
        RR_CHECK(scan.status == whole.status);
        RR_CHECK(scan.error == whole.error);
    }
    if (whole.status == FrameStatus::kHeader) {
        RR_CHECK(h.size() <= size);
        RR_CHECK(h.payload <= kLimit);
        std::string again(h.size(), '\0');
        EncodeFrameHeader(h, again.data());
        FrameHeader reread;
        RR_CHECK(ScanFrameHeader(again, kLimit, reread).status == FrameStatus::kHeader);
        RR_CHECK(reread.flags == h.flags && reread.stream == h.stream);
        RR_CHECK(reread.payload == h.payload && reread.option == h.option);
    }
    (void)Crc32(in);
    return 0;
}
