// Compressors: makes the filters that compress bodies, bounds the memory that they use, and keeps
// some of it for the next ones.
//
// A body that comes in one call is compressed at once, in memory that goes back before the call
// returns. One that comes piece by piece has a compressor of its own until its end, with a window of
// 16 KiB (gzip) or 64 KiB, so that many streams have room.
//
// Thread: any; several loops at once. A filter belongs to its request's loop.
// Owns:   up to kKept idle compressors of each kind. Filters borrow it and end before it.
// Fails:  Make gives null when those in use have all of max_memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/api/http_middleware.hpp"
#include "core/files/accept_encoding.hpp"
#include "plugins/gzip/shelf.hpp"

namespace rr::gzip {

using files::Encoding;

struct Levels {
    int gzip = 1;
    int brotli = 4;
    int zstd = 3;
};

class GzipWhole;
class GzipStream;
class ZstdContext;

class Compressors {
public:
    static constexpr size_t kKept = 4;
    // What a body in pieces takes, about.
    static constexpr int64_t MemoryOf(Encoding encoding) {
        switch (encoding) {
            case Encoding::kGzip: return 140 << 10;
            case Encoding::kZstd: return 640 << 10;
            case Encoding::kBrotli: return 768 << 10;
            case Encoding::kIdentity: break;
        }
        return 0;
    }

    Compressors(Levels levels, int64_t max_memory);
    ~Compressors();
    Compressors(const Compressors&) = delete;
    Compressors& operator=(const Compressors&) = delete;

    // stream: the body's size is not known, and it may last for long; these leave a quarter of
    // max_memory to others.
    // REQUIRES: encoding is not kIdentity.
    std::unique_ptr<HttpBodyFilter> Make(Encoding encoding, bool stream = false);

    int64_t memory_used() const { return used_.load(std::memory_order_relaxed); }

private:
    class Coder;
    class GzipFilter;
    class BrotliFilter;
    class ZstdFilter;

    const Levels levels_;
    const int64_t max_memory_;
    std::atomic<int64_t> used_{0};
    Shelf<GzipWhole, kKept> gzip_wholes_;
    Shelf<GzipStream, kKept> gzip_streams_;
    Shelf<ZstdContext, kKept> zstd_;
};

}  // namespace rr::gzip
