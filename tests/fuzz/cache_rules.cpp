// If-None-Match, Cache-Control and X-Cache-For: a tag matches itself in any list, a directive more
// never permits what was forbidden.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "plugins/cache/rules.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::cache;
    std::string_view in(reinterpret_cast<const char*>(data), size);
    const int64_t seconds = ParseSeconds(in);
    RR_CHECK(seconds >= -1 && seconds <= kMostSeconds);
    const int64_t age = SharedMaxAge(in);
    RR_CHECK(age >= -1 && age <= kMostSeconds);
    RR_CHECK(!MatchesTag(in, ""));
    const bool matched = MatchesTag(in, "\"tag\"");
    RR_CHECK(matched == MatchesTag(in, "W/\"tag\""));
    if (std::count(in.begin(), in.end(), '"') % 2 == 0) {  // no quotes are open
        RR_CHECK(MatchesTag(std::string(in) + ",\"tag\"", "\"tag\""));
        RR_CHECK(SharedMaxAge(std::string(in) + ",no-store") == 0);
        RR_CHECK(age != 0 || SharedMaxAge(std::string(in) + ",s-maxage=9") >= 0);
    }
    return 0;
}
