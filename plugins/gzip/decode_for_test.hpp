// What a client makes of compressed bytes.
#pragma once

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/files/accept_encoding.hpp"

namespace rr::gzip {

using files::Encoding;

// All that can be known from `in`; `complete`: it is the whole of a body.
inline std::string DecodeForTest(Encoding encoding, std::string_view in, bool* complete = nullptr) {
    std::string out(1 << 20, '\0');
    size_t size = 0;
    bool whole = false;
    if (encoding == Encoding::kGzip) {
        z_stream z{};
        inflateInit2(&z, 15 + 16);
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        z.avail_in = static_cast<uInt>(in.size());
        z.next_out = reinterpret_cast<Bytef*>(out.data());
        z.avail_out = static_cast<uInt>(out.size());
        whole = inflate(&z, Z_SYNC_FLUSH) == Z_STREAM_END && z.avail_in == 0;
        size = z.total_out;
        inflateEnd(&z);
    } else if (encoding == Encoding::kBrotli) {
        std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state(
            BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
        size_t left = in.size();
        const auto* from = reinterpret_cast<const uint8_t*>(in.data());
        size_t room = out.size();
        auto* to = reinterpret_cast<uint8_t*>(out.data());
        whole = BrotliDecoderDecompressStream(state.get(), &left, &from, &room, &to, &size) ==
                    BROTLI_DECODER_RESULT_SUCCESS &&
                left == 0;
    } else {
        std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   &ZSTD_freeDCtx);
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        size_t left = 1;
        while (from.pos < from.size && left != 0 && ZSTD_isError(left) == 0) {
            left = ZSTD_decompressStream(context.get(), &to, &from);
        }
        whole = left == 0 && from.pos == from.size;
        size = to.pos;
    }
    if (complete != nullptr) {
        *complete = whole;
    }
    out.resize(size);
    return out;
}

}  // namespace rr::gzip
