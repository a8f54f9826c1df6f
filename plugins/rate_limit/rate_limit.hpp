// RateLimit: the middleware rate_limit. Each client has a bucket of tokens, and a request takes one.
//
// Thread: any data loop, several at once.
// Owns:   the buckets.
// Fails:  never.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/api/metric_source.hpp"
#include "plugins/rate_limit/buckets.hpp"
#include "plugins/rate_limit/config.hpp"

namespace rr::rate_limit {

class RateLimit final : public HttpMiddleware, public MetricSource {
public:
    using ClockNs = int64_t (*)();

    explicit RateLimit(RateLimitConfig config);
    // For tests: another clock.
    RateLimit(RateLimitConfig config, ClockNs clock);

    std::string_view middleware_name() const override { return "rate_limit"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override;
    void OnResponse(const HttpRequest& request, HttpResponse& response) override;

    void Collect(std::vector<MetricFamily>& families) const override;

private:
    // False: the request is not limited.
    bool KeyOf(const HttpRequest& request, Key& key) const;
    Key KeyOfText(std::string_view text) const;

    const RateLimitConfig config_;
    const ClockNs clock_;
    const std::string limit_;  // RateLimit-Limit
    const SipKey first_secret_ = SipKey::Random();
    const SipKey second_secret_ = SipKey::Random();
    Buckets buckets_;
    std::atomic<uint64_t> refused_{0};
};

}  // namespace rr::rate_limit
