// ChunkedDecoder: a chunked request body, piece by piece.
//
//   1a;ext=1 CRLF   26 bytes CRLF   ...   0 CRLF   [trailer lines] CRLF
//
// Strict: CRLF only, 1 to 16 hex digits, nothing but `;` and an extension behind them. Extensions
// and trailers are read within bounds and dropped.
//
// Thread: a plain value. Fails: kBad (400), for good.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::http {

class ChunkedDecoder {
public:
    enum class Status : uint8_t { kNeedMore, kData, kDone, kBad };
    struct Step {
        Status status;
        size_t consumed;  // bytes of `in` to drop before the next call
        Bytes data;       // of kData; lies inside `in`
    };

    // trailers: most bytes that all trailer lines may have.
    explicit ChunkedDecoder(uint32_t trailers = 16 * 1024) : trailers_left_(trailers) {}

    // Call until it says kNeedMore (every byte of `in` is consumed then), kDone or kBad. After
    // kDone the bytes that were not consumed belong to the next request.
    Step Next(Bytes in);

    bool done() const { return state_ == State::kEnd; }

private:
    enum class State : uint8_t {
        kSizeFirst,  // at least one digit is due
        kSize,
        kExtension,
        kSizeLf,
        kData,
        kDataCr,
        kDataLf,
        kTrailerStart,
        kTrailerName,
        kTrailerValue,
        kTrailerLf,
        kEndLf,
        kEnd,
        kBad,
    };
    bool Take(char c);  // one framing byte; false: bad
    bool TakeTrailer(char c);
    bool EndOfSizeLine();

    State state_ = State::kSizeFirst;
    uint8_t digits_ = 0;
    uint32_t line_ = 0;    // bytes of the size line so far
    uint32_t excess_ = 0;  // framing bytes beyond what the data justifies
    uint32_t trailers_left_;
    uint64_t size_ = 0;  // of the chunk; then what is left of it
};

}  // namespace rr::http
