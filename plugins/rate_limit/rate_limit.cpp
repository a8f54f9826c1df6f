#include "plugins/rate_limit/rate_limit.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace rr::rate_limit {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::string_view kLimit = "RateLimit-Limit";
constexpr std::string_view kRemaining = "RateLimit-Remaining";
constexpr std::string_view kReset = "RateLimit-Reset";

int64_t SteadyNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

// A number as text, without an allocation.
class Digits {
public:
    explicit Digits(int64_t number)
        : end_(std::to_chars(text_, text_ + sizeof text_, number).ptr) {}
    operator std::string_view() const {  // NOLINT: it is one
        return {text_, static_cast<size_t>(end_ - text_)};
    }

private:
    char text_[20];
    char* end_;
};

// Whole seconds, rounded up: who waits so long is let in.
int64_t Seconds(int64_t ns) {
    constexpr int64_t kSecond = 1'000'000'000;
    return ns / kSecond + (ns % kSecond != 0 ? 1 : 0);
}

}  // namespace

RateLimit::RateLimit(RateLimitConfig config) : RateLimit(std::move(config), &SteadyNs) {}

RateLimit::RateLimit(RateLimitConfig config, ClockNs clock)
    : config_(std::move(config)),
      clock_(clock),
      limit_(std::to_string(config_.rate.burst)),
      buckets_(config_.rate, config_.max_keys) {}

bool RateLimit::KeyOf(const HttpRequest& request, Key& key) const {
    const std::string_view address = request.remote_address();
    std::optional<net::IpAddress> ip = net::ParseIp(address);
    if (ip && net::Contains(config_.exempt, *ip)) {
        return false;
    }
    if (!config_.header.empty()) {
        if (const std::string_view value = request.Header(config_.header); !value.empty()) {
            key = KeyOfText(value);
            return true;
        }
    }
    if (!ip) {
        key = KeyOfText(address);  // all of a Unix socket are one
        return true;
    }
    if (!ip->v4()) {
        ip->Mask(config_.ipv6_prefix);
    }
    std::memcpy(key.words.data(), ip->bytes.data(), sizeof key.words);
    return true;
}

// Two secret hashes stand for it: of 128 bits nobody finds two texts that share a bucket.
Key RateLimit::KeyOfText(std::string_view text) const {
    return {{SipHash(first_secret_, text), SipHash(second_secret_, text)}};
}

bool RateLimit::OnRequest(HttpRequest& request, HttpAnswer& answer) {
    Key key;
    if (!KeyOf(request, key)) {
        return true;
    }
    const Grant grant = buckets_.Take(key, clock_());
    if (grant.allowed) {
        request.note() = static_cast<uint64_t>(grant.debt());  // it has taken one: not 0
        return true;
    }
    refused_.fetch_add(1, kRelaxed);
    answer.status = config_.status;
    answer.body = "Too Many Requests\n";
    const auto add = [&answer](std::string_view name, std::string_view value) {
        answer.headers.Add(name, value);
    };
    add("Content-Type", "text/plain; charset=utf-8");
    add("Retry-After", Digits(std::max<int64_t>(1, Seconds(grant.retry_ns()))));
    if (config_.headers) {
        add(kLimit, limit_);
        add(kRemaining, Digits(grant.left()));
        add(kReset, Digits(Seconds(grant.full_ns())));
    }
    return false;
}

void RateLimit::OnResponse(const HttpRequest& request, HttpResponse& response) {
    const uint64_t debt = request.note();
    if (!config_.headers || debt == 0) {
        return;  // nobody is told, or the client is exempt
    }
    const Grant grant(config_.rate, static_cast<int64_t>(debt), true);
    response.SetHeader(kLimit, limit_);
    response.SetHeader(kRemaining, Digits(grant.left()));
    response.SetHeader(kReset, Digits(Seconds(grant.full_ns())));
}

void RateLimit::Collect(std::vector<MetricFamily>& families) const {
    const auto counter = [&families](const char* name, const char* help, uint64_t count) {
        families.push_back(
            {name, help, MetricFamily::Kind::kCounter, {{{}, static_cast<double>(count)}}});
    };
    counter("rr_http_rate_limited_total", "Requests that were refused by rate_limit",
            refused_.load(kRelaxed));
    counter("rr_http_rate_limit_evicted_total",
            "Clients that were forgotten before their time because http.rate_limit.max_keys were "
            "known",
            buckets_.evicted());
}

}  // namespace rr::rate_limit
