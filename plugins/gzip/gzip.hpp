// Gzip: the middleware that compresses answers, with gzip, brotli or zstd.
//
// Thread: any data loop, several at once.
// Owns:   the compressors that wait for their next use.
// Fails:  never: what can't be compressed goes as it is.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/api/http_middleware.hpp"
#include "core/api/metric_source.hpp"
#include "plugins/gzip/compressors.hpp"
#include "plugins/gzip/config.hpp"

namespace rr::gzip {

class Gzip final : public HttpMiddleware, public MetricSource {
public:
    explicit Gzip(GzipConfig config);

    std::string_view middleware_name() const override { return "gzip"; }
    void OnResponse(const HttpRequest& request, HttpResponse& response) override;

    void Collect(std::vector<MetricFamily>& families) const override;

private:
    // What the headers of an answer say about compressing it.
    struct Said;
    Said Listen(const HttpResponse& response) const;
    bool IsWorthIt(const Said& said) const;
    Encoding Choose(const HttpRequest& request, bool whole) const;
    // False: there is no memory for it.
    bool Compress(HttpResponse& response, const Said& said, Encoding encoding);

    const GzipConfig config_;
    const std::vector<Encoding> of_streams_;  // encodings, smallest memory first
    Compressors compressors_;
    std::array<std::atomic<uint64_t>, files::kEncodings> compressed_{};
    std::atomic<uint64_t> no_memory_{0};
};

}  // namespace rr::gzip
