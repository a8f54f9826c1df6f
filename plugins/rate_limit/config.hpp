// RateLimitConfig: `http.rate_limit`, all of it ours.
#pragma once

#include <cstdint>
#include <string>

#include "core/net/ip.hpp"
#include "plugins/rate_limit/rate.hpp"

namespace rr::config {
class Section;
}

namespace rr::rate_limit {

struct RateLimitConfig {
    Rate rate;             // rate, per, burst
    std::string header;    // key: its values are the keys; empty: addresses are
    int ipv6_prefix = 64;  // bits of an IPv6 address that are one client
    int64_t max_keys = 100'000;
    int status = 429;
    bool headers = true;  // RateLimit-* in answers
    net::Subnets exempt;  // clients without limit
};

// Reads the section; problems are reported through it.
RateLimitConfig ParseRateLimitConfig(const config::Section& section);

}  // namespace rr::rate_limit
