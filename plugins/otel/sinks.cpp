#include "plugins/otel/sinks.hpp"

#include <libdeflate.h>

#include <cstdio>
#include <utility>

#include "core/net/http_post.hpp"
#include "plugins/otel/encoders.hpp"

namespace rr::otel {
namespace {

constexpr int kLevel = 6;
constexpr size_t kKeep = 512 * 1024;  // of memory for the next body

std::string Gzip(Bytes text) {
    libdeflate_compressor* compressor = libdeflate_alloc_compressor(kLevel);
    std::string out(libdeflate_gzip_compress_bound(compressor, text.size()), '\0');
    out.resize(
        libdeflate_gzip_compress(compressor, text.data(), text.size(), out.data(), out.size()));
    libdeflate_free_compressor(compressor);
    return out;
}

// Posts to a collector. 429 and the like mean: again, later.
class HttpSink final : public Sink {
public:
    HttpSink(std::unique_ptr<net::HttpPost> post, const OtelConfig& config, Resource resource)
        : post_(std::move(post)),
          otlp_(config.exporter == Target::kOtlp),
          compress_(config.compress),
          resource_(std::move(resource)) {}

    Delivery Deliver(const Batch& batch, Deadline deadline,
                     const std::atomic<bool>& stop) override {
        body_.Clear(kKeep);
        if (otlp_) {
            EncodeOtlp(resource_, batch, body_);
        } else {
            EncodeZipkin(resource_, batch, body_);
        }
        const std::string small = compress_ ? Gzip(body_.view()) : std::string();
        const net::HttpPost::Answer answer =
            post_->Send(compress_ ? Bytes(small) : body_.view(), deadline, stop);
        Delivery delivery;
        if (answer.status == 0) {
            delivery.kind = Delivery::Kind::kLater;
            delivery.reason = answer.error;
        } else if (answer.status < 200 || answer.status > 299) {
            const int status = answer.status;
            const bool busy = status == 429 || (status >= 502 && status <= 504);
            delivery.kind = busy ? Delivery::Kind::kLater : Delivery::Kind::kRefused;
            delivery.reason = "HTTP status " + std::to_string(status);
            delivery.pause = answer.retry_after;
        } else if (otlp_) {
            const int64_t rejected = ReadOtlpRejected(answer.body, delivery.reason);
            delivery.rejected = std::min(static_cast<size_t>(rejected), batch.spans);
        }
        return delivery;
    }

private:
    const std::unique_ptr<net::HttpPost> post_;
    const bool otlp_;
    const bool compress_;
    const Resource resource_;
    Buffer body_;
};

class StreamSink final : public Sink {
public:
    StreamSink(std::FILE* stream, Resource resource)
        : stream_(stream), resource_(std::move(resource)) {}

    Delivery Deliver(const Batch& batch, Deadline, const std::atomic<bool>&) override {
        Buffer lines;
        EncodeLines(resource_, batch, lines);
        Delivery delivery;
        if (std::fwrite(lines.data(), 1, lines.size(), stream_) != lines.size() ||
            std::fflush(stream_) != 0) {
            delivery.kind = Delivery::Kind::kRefused;
            delivery.reason = "cannot be written";
        }
        return delivery;
    }

private:
    std::FILE* const stream_;
    const Resource resource_;
};

}  // namespace

Result<std::shared_ptr<Sink>> OpenSink(const OtelConfig& config, const Resource& resource) {
    if (config.exporter == Target::kStdout || config.exporter == Target::kStderr) {
        std::FILE* stream = config.exporter == Target::kStdout ? stdout : stderr;
        return std::shared_ptr<Sink>(std::make_shared<StreamSink>(stream, resource));
    }
    net::HttpPostSettings settings;
    settings.url = config.url;
    settings.headers = {{"User-Agent", "rr"},
                        {"Content-Type", config.exporter == Target::kOtlp ? "application/x-protobuf"
                                                                          : "application/json"}};
    if (config.compress) {
        settings.headers.emplace_back("Content-Encoding", "gzip");
    }
    settings.headers.insert(settings.headers.end(), config.headers.begin(), config.headers.end());
    settings.timeout = config.timeout;
    settings.ca = config.ca;
    settings.cert = config.cert;
    settings.key = config.key;
    auto post = net::HttpPost::Open(std::move(settings));
    if (!post) {
        return Forward(post);
    }
    return std::shared_ptr<Sink>(std::make_shared<HttpSink>(std::move(*post), config, resource));
}

}  // namespace rr::otel
