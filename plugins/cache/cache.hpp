// Cache: the middleware that keeps answers which their worker allows to be kept, for seconds.
//
//   request  GET, HEAD --> kept and fresh: answered here (200, or 304)
//   answer   of a GET, with X-Cache-For: what passes is copied; kept once the client has all of it
//            of a POST and the like, no error: what is kept of the same target is dropped
//
// Thread: any data loop, several at once; Clear and Collect any.
// Owns:   the store, and copies of what passes, no more of them than max_memory.
// Fails:  never: what can't be kept only passes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/api/metric_source.hpp"
#include "core/api/rpc.hpp"
#include "core/log/logger.hpp"
#include "plugins/cache/config.hpp"
#include "plugins/cache/store.hpp"

namespace rr::cache {

class Cache final : public HttpMiddleware, public MetricSource, public RpcService {
public:
    using Now = Instant (*)();

    Cache(const CacheConfig& config, log::Logger log, Now now = &Clock::now);

    std::string_view middleware_name() const override { return "cache"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override;
    void OnResponse(const HttpRequest& request, HttpResponse& response) override;
    void OnFinished(const HttpRequest& request, const HttpOutcome& outcome) override;

    // cache.Clear: a text, the beginning of the paths; empty: all. Answers how many were dropped.
    std::string_view rpc_name() const override { return "cache"; }
    void Describe(std::vector<RpcMethod>& methods) override;

    void Collect(std::vector<MetricFamily>& families) const override;

    uint64_t Clear(std::string_view prefix) { return store_.Clear(prefix, UnixNanoseconds()); }

    const Store& store() const { return store_; }

private:
    struct Capture;
    struct Captured;
    class CaptureFilter;

    // What a request's headers say.
    struct Wish;
    Wish Listen(const HttpRequest& request) const;
    void Answer(const HttpRequest& request, const Wish& wish, const Entry& entry,
                HttpAnswer& answer) const;
    // Seconds for which the worker lets the answer be kept; 0: it does not.
    int64_t Allowed(HttpResponse& response);
    std::shared_ptr<Entry> Begin(const HttpRequest& request, const HttpResponse& response) const;

    const CacheConfig config_;
    const log::Logger log_;
    const Now now_;
    Store store_;
    std::atomic<int64_t> passing_{0};  // bytes in copies of what passes
    std::atomic<uint64_t> hits_{0};
    std::atomic<uint64_t> misses_{0};
    std::atomic<bool> warned_{false};
};

}  // namespace rr::cache
