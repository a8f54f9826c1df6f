// Tracing: the middleware `otel`. Continues the caller's trace or begins one, tells PHP, and records
// the request if the trace is sampled.
//
// Thread: data loops, each with recordings of its own; no locks. A batch goes out by `full`, on the
//         loop that recorded it.
// Owns:   recordings until they are handed over, and those that wait for their next use.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/base/per_thread.hpp"
#include "plugins/otel/budget.hpp"
#include "plugins/otel/recording.hpp"
#include "plugins/otel/sampler.hpp"
#include "plugins/otel/trace_context.hpp"

namespace rr::otel {

class Tracing final : public HttpMiddleware {
public:
    using Full = std::function<void(Batch)>;

    // batch: so many spans are handed over at once. budget outlives it.
    Tracing(Sampler sampler, size_t batch, Budget& budget, Full full);

    // Hands over what this thread has recorded.
    void HandOver();
    // Recordings of this thread that were exported.
    void TakeBack(Batch used);

    std::string_view middleware_name() const override { return "otel"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override;
    void OnFinished(const HttpRequest& request, const HttpOutcome& outcome) override;

private:
    // What one loop keeps for itself.
    struct Mine {
        IdSource ids;
        Batch finished;
        std::vector<std::unique_ptr<Recording>> free;
        std::string joined;  // header lines of one name
        std::string kept;
    };

    TraceContext Extract(HttpRequest& request, Mine& mine, std::string_view& agent,
                         std::string_view& state) const;
    void PassBaggage(HttpRequest& request, Mine& mine, size_t lines) const;

    const Sampler sampler_;
    const size_t batch_;
    Budget& budget_;
    const Full full_;
    PerThread<Mine> mine_;
};

}  // namespace rr::otel
