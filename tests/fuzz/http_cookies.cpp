// Cookie lines, one per line of input: names are tokens, each comes once, at most 3000.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "core/base/check.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/cookies.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::http;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    CookieJar jar;
    while (!in.empty()) {
        size_t lf = std::min(in.find('\n'), in.size());
        jar.Add(in.substr(0, lf));
        in.remove_prefix(std::min(lf + 1, in.size()));
    }
    std::set<std::string> names;
    for (size_t i = 0; i < jar.size(); ++i) {
        RR_CHECK(IsToken(jar.name(i)));
        RR_CHECK(names.emplace(jar.name(i)).second);
        (void)jar.value(i);
    }
    RR_CHECK(jar.size() <= CookieJar::kMost);
    return 0;
}
