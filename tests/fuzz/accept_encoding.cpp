// Accept-Encoding: weights stay in range, and what is chosen was offered and is wanted.
#include "core/files/accept_encoding.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using rr::files::AcceptEncoding;
    using rr::files::Encoding;
    constexpr Encoding kOffered[] = {Encoding::kZstd, Encoding::kBrotli, Encoding::kGzip};
    std::string_view in(reinterpret_cast<const char*>(data), size);
    AcceptEncoding accept;
    accept.Add(in);
    const Encoding chosen = accept.Choose(kOffered);
    for (Encoding each : kOffered) {
        const int16_t weight = accept.weight(each);
        RR_CHECK(weight >= AcceptEncoding::kNone && weight <= 1000);
        RR_CHECK(chosen == Encoding::kIdentity || weight <= accept.weight(chosen));
    }
    RR_CHECK(chosen == Encoding::kIdentity || accept.weight(chosen) > 0);
    // An item more that nobody knows changes nothing, unless quotes are open.
    if (std::count(in.begin(), in.end(), '"') % 2 == 0) {
        AcceptEncoding longer;
        longer.Add(std::string(in) + ", unknown;q=1");
        RR_CHECK(longer.Choose(kOffered) == chosen);
    }
    return 0;
}
