#include "plugins/gzip/compressors.hpp"

#include <brotli/encode.h>
#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/check.hpp"

namespace rr::gzip {
namespace {

using Step = HttpBodyFilter::Step;

// Of bodies in pieces. zlib: 2^(window + 2) + 2^(memory + 9) bytes.
constexpr int kZlibWindow = 14;
constexpr int kZlibMemory = 7;
constexpr int kZlibGzip = 16;  // added to the window: a gzip header and trailer
constexpr int kZstdWindow = 16;
constexpr int kZstdTable = 14;
constexpr int kBrotliWindow = 16;

constexpr size_t kKeepZstd = 1 << 20;       // a context that grew beyond is given back
constexpr size_t kRoom = 4 * 1024;          // for output, at least
constexpr size_t kPiece = size_t{1} << 30;  // zlib counts in 32 bits

}  // namespace

class GzipWhole {
public:
    explicit GzipWhole(int level) : compressor_(libdeflate_alloc_compressor(level)) {
        RR_CHECK(compressor_ != nullptr);
    }
    GzipWhole(const GzipWhole&) = delete;
    GzipWhole& operator=(const GzipWhole&) = delete;
    ~GzipWhole() { libdeflate_free_compressor(compressor_); }

    bool Run(Bytes in, Buffer& out) {
        out.Reserve(libdeflate_gzip_compress_bound(compressor_, in.size()));
        size_t size =
            libdeflate_gzip_compress(compressor_, in.data(), in.size(), out.tail(), out.room());
        out.Commit(size);
        return size > 0;
    }

private:
    libdeflate_compressor* const compressor_;
};

class GzipStream {
public:
    explicit GzipStream(int level) {
        RR_CHECK(deflateInit2(&z_, level, Z_DEFLATED, kZlibWindow + kZlibGzip, kZlibMemory,
                              Z_DEFAULT_STRATEGY) == Z_OK);
    }
    GzipStream(const GzipStream&) = delete;
    GzipStream& operator=(const GzipStream&) = delete;
    ~GzipStream() { deflateEnd(&z_); }

    void Begin() { RR_CHECK(deflateReset(&z_) == Z_OK); }

    bool Run(Bytes in, Step step, Buffer& out) {
        for (; in.size() > kPiece; in.remove_prefix(kPiece)) {
            if (!Deflate(in.substr(0, kPiece), Z_NO_FLUSH, out)) {
                return false;
            }
        }
        switch (step) {
            case Step::kMore: return Deflate(in, Z_NO_FLUSH, out);
            case Step::kFlush: return Deflate(in, Z_SYNC_FLUSH, out);
            case Step::kLast: break;
        }
        return Deflate(in, Z_FINISH, out);
    }

private:
    bool Deflate(Bytes in, int flush, Buffer& out) {
        z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        z_.avail_in = static_cast<uInt>(in.size());
        do {
            out.Reserve(kRoom);
            auto room = static_cast<uInt>(std::min(out.room(), kPiece));
            z_.next_out = reinterpret_cast<Bytef*>(out.tail());
            z_.avail_out = room;
            if (deflate(&z_, flush) == Z_STREAM_ERROR) {
                return false;
            }
            out.Commit(room - z_.avail_out);
        } while (z_.avail_out == 0);
        return z_.avail_in == 0;
    }

    z_stream z_{};
};

class ZstdContext {
public:
    ZstdContext() : context_(ZSTD_createCCtx()) { RR_CHECK(context_ != nullptr); }
    ZstdContext(const ZstdContext&) = delete;
    ZstdContext& operator=(const ZstdContext&) = delete;
    ~ZstdContext() { ZSTD_freeCCtx(context_); }

    size_t memory() const { return ZSTD_sizeof_CCtx(context_); }

    void Begin(int level, bool whole) {
        ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters);
        ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
        if (!whole) {
            ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, kZstdWindow);
            ZSTD_CCtx_setParameter(context_, ZSTD_c_hashLog, kZstdTable);
            ZSTD_CCtx_setParameter(context_, ZSTD_c_chainLog, kZstdTable);
        }
    }

    bool RunWhole(Bytes in, Buffer& out) {
        out.Reserve(ZSTD_compressBound(in.size()));
        size_t size = ZSTD_compress2(context_, out.tail(), out.room(), in.data(), in.size());
        if (ZSTD_isError(size) != 0) {
            return false;
        }
        out.Commit(size);
        return true;
    }

    bool Run(Bytes in, Step step, Buffer& out) {
        const ZSTD_EndDirective how = step == Step::kMore    ? ZSTD_e_continue
                                      : step == Step::kFlush ? ZSTD_e_flush
                                                             : ZSTD_e_end;
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        for (;;) {
            out.Reserve(kRoom);
            ZSTD_outBuffer to{out.tail(), out.room(), 0};
            size_t left = ZSTD_compressStream2(context_, &to, &from, how);
            if (ZSTD_isError(left) != 0) {
                return false;
            }
            out.Commit(to.pos);
            if (how == ZSTD_e_continue ? from.pos == from.size : left == 0) {
                return true;
            }
        }
    }

private:
    ZSTD_CCtx* const context_;
};

// A share of max_memory, as long as it lives.
class Compressors::Coder : public HttpBodyFilter {
public:
    Coder(Compressors& owner, Encoding encoding) : owner_(owner), encoding_(encoding) {}
    Coder(const Coder&) = delete;
    Coder& operator=(const Coder&) = delete;
    ~Coder() override { owner_.used_.fetch_sub(MemoryOf(encoding_), std::memory_order_relaxed); }

    bool Filter(Bytes in, Step step, Buffer& out) final {
        if (!begun_ && step == Step::kLast) {
            return Whole(in, out);
        }
        if (in.empty() && (step == Step::kMore || !begun_)) {
            return true;
        }
        begun_ = true;
        return Piece(in, step, out);
    }

protected:
    virtual bool Whole(Bytes in, Buffer& out) = 0;
    virtual bool Piece(Bytes in, Step step, Buffer& out) = 0;

    Compressors& owner_;
    bool begun_ = false;

private:
    const Encoding encoding_;
};

class Compressors::GzipFilter final : public Coder {
public:
    explicit GzipFilter(Compressors& owner) : Coder(owner, Encoding::kGzip) {}
    ~GzipFilter() override {
        if (stream_ != nullptr) {
            owner_.gzip_streams_.Put(std::move(stream_));
        }
    }

private:
    bool Whole(Bytes in, Buffer& out) override {
        std::unique_ptr<GzipWhole> whole = owner_.gzip_wholes_.Take();
        if (whole == nullptr) {
            whole = std::make_unique<GzipWhole>(owner_.levels_.gzip);
        }
        bool done = whole->Run(in, out);
        owner_.gzip_wholes_.Put(std::move(whole));
        return done;
    }

    bool Piece(Bytes in, Step step, Buffer& out) override {
        if (stream_ == nullptr) {
            stream_ = owner_.gzip_streams_.Take();
            if (stream_ == nullptr) {
                stream_ = std::make_unique<GzipStream>(owner_.levels_.gzip);
            }
            stream_->Begin();
        }
        return stream_->Run(in, step, out);
    }

    std::unique_ptr<GzipStream> stream_;
};

class Compressors::ZstdFilter final : public Coder {
public:
    explicit ZstdFilter(Compressors& owner) : Coder(owner, Encoding::kZstd) {}
    ~ZstdFilter() override { GiveBack(); }

private:
    bool Whole(Bytes in, Buffer& out) override {
        Take(true);
        bool done = context_->RunWhole(in, out);
        GiveBack();
        return done;
    }

    bool Piece(Bytes in, Step step, Buffer& out) override {
        if (context_ == nullptr) {
            Take(false);
        }
        return context_->Run(in, step, out);
    }

    void Take(bool whole) {
        context_ = owner_.zstd_.Take();
        if (context_ == nullptr) {
            context_ = std::make_unique<ZstdContext>();
        }
        context_->Begin(owner_.levels_.zstd, whole);
    }

    void GiveBack() {
        if (context_ != nullptr && context_->memory() <= kKeepZstd) {
            owner_.zstd_.Put(std::move(context_));
        }
        context_.reset();
    }

    std::unique_ptr<ZstdContext> context_;
};

// Brotli's encoder can't be used a second time.
class Compressors::BrotliFilter final : public Coder {
public:
    explicit BrotliFilter(Compressors& owner) : Coder(owner, Encoding::kBrotli) {}

private:
    struct Destroy {
        void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
    };

    bool Whole(Bytes in, Buffer& out) override {
        // A window as large as the body.
        Begin(std::clamp<int>(static_cast<int>(std::bit_width(in.size())), BROTLI_MIN_WINDOW_BITS,
                              BROTLI_DEFAULT_WINDOW));
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_SIZE_HINT,
                                  static_cast<uint32_t>(std::min(in.size(), kPiece)));
        out.Reserve(BrotliEncoderMaxCompressedSize(in.size()) + kRoom);
        return Run(in, BROTLI_OPERATION_FINISH, out);
    }

    bool Piece(Bytes in, Step step, Buffer& out) override {
        if (state_ == nullptr) {
            Begin(kBrotliWindow);
        }
        return Run(in,
                   step == Step::kMore    ? BROTLI_OPERATION_PROCESS
                   : step == Step::kFlush ? BROTLI_OPERATION_FLUSH
                                          : BROTLI_OPERATION_FINISH,
                   out);
    }

    void Begin(int window) {
        state_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
        RR_CHECK(state_ != nullptr);
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY,
                                  static_cast<uint32_t>(owner_.levels_.brotli));
        BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, static_cast<uint32_t>(window));
    }

    bool Run(Bytes in, BrotliEncoderOperation how, Buffer& out) {
        size_t left = in.size();
        const auto* from = reinterpret_cast<const uint8_t*>(in.data());
        do {
            out.Reserve(kRoom);
            size_t room = out.room();
            auto* to = reinterpret_cast<uint8_t*>(out.tail());
            const size_t before = room;
            if (BrotliEncoderCompressStream(state_.get(), how, &left, &from, &room, &to, nullptr) ==
                BROTLI_FALSE) {
                return false;
            }
            out.Commit(before - room);
        } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE);
        return true;
    }

    std::unique_ptr<BrotliEncoderState, Destroy> state_;
};

Compressors::Compressors(Levels levels, int64_t max_memory)
    : levels_(levels), max_memory_(max_memory) {}

Compressors::~Compressors() = default;

std::unique_ptr<HttpBodyFilter> Compressors::Make(Encoding encoding, bool stream) {
    const int64_t need = MemoryOf(encoding);
    const int64_t most = stream ? max_memory_ - max_memory_ / 4 : max_memory_;
    if (used_.fetch_add(need, std::memory_order_relaxed) + need > most) {
        used_.fetch_sub(need, std::memory_order_relaxed);
        return nullptr;
    }
    switch (encoding) {
        case Encoding::kGzip: return std::make_unique<GzipFilter>(*this);
        case Encoding::kBrotli: return std::make_unique<BrotliFilter>(*this);
        case Encoding::kZstd: return std::make_unique<ZstdFilter>(*this);
        case Encoding::kIdentity: break;
    }
    RR_CHECK(false);
}

}  // namespace rr::gzip
