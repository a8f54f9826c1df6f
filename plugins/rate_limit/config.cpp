#include "plugins/rate_limit/config.hpp"

#include <chrono>

#include "core/api/http_text.hpp"
#include "core/config/section.hpp"

namespace rr::rate_limit {
namespace {

using config::Section;

constexpr int64_t kMostRequests = 1'000'000'000;
constexpr int64_t kMostKeys = 10'000'000;

void ReadRate(const Section& s, RateLimitConfig& c) {
    constexpr Duration kLeast = std::chrono::milliseconds(1);
    constexpr Duration kMost = std::chrono::hours(24 * 366);
    if (s.present() && !s.Has("rate")) {
        s.Problem("rate", "missing: how many requests a client may make in each `per`");
    }
    const int64_t rate = s.Integer("rate", 1, 1, kMostRequests);
    const Duration per = s.Time("per", std::chrono::seconds(1), kLeast);
    const int64_t burst = s.Integer("burst", rate, 1, kMostRequests);
    if (per > kMost) {
        s.Problem("per", "must be at most a year");
        return;
    }
    if (std::optional<Rate> exact = Rate::Of(rate, per, burst)) {
        c.rate = *exact;
    } else {
        s.Problem("burst", "is too large for this rate: `burst` requests would take centuries");
    }
}

void ReadKey(const Section& s, RateLimitConfig& c) {
    constexpr std::string_view kHeader = "header:";
    const std::string key = s.String("key", "ip");
    if (key == "ip") {
        return;
    }
    if (!http_text::StartsWith(key, kHeader)) {
        s.Problem("key", "must be ip or header:NAME, not " + key);
        return;
    }
    c.header = http_text::Trim(std::string_view(key).substr(kHeader.size()));
    if (!http_text::IsToken(c.header)) {
        s.Problem("key", "no name of a header behind header: in " + key);
    }
}

}  // namespace

RateLimitConfig ParseRateLimitConfig(const Section& s) {
    RateLimitConfig c;
    ReadRate(s, c);
    ReadKey(s, c);
    c.ipv6_prefix = static_cast<int>(s.Integer("ipv6_prefix", c.ipv6_prefix, 16, 128));
    c.max_keys = s.Integer("max_keys", c.max_keys, 1, kMostKeys);
    c.status = static_cast<int>(s.Integer("status", c.status, 400, 599));
    c.headers = s.Bool("headers", c.headers);
    for (const std::string& text : s.List("exempt")) {
        if (std::optional<net::Subnet> subnet = net::ParseSubnet(text)) {
            c.exempt.push_back(*subnet);
        } else {
            s.Problem("exempt", "no network like 10.0.0.0/8 or fc00::/7: " + text);
        }
    }
    return c;
}

}  // namespace rr::rate_limit
