#include "plugins/http/chunked.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {
namespace {

constexpr uint32_t kLineMost = 4096;  // of a chunk-size line with its extension
constexpr uint32_t kExcessMost = 16 * 1024;

bool IsText(char c) {
    unsigned char byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::Next(Bytes in) {
    size_t at = 0;
    while (at < in.size() && state_ != State::kEnd && state_ != State::kBad) {
        if (state_ == State::kData) {
            size_t size = static_cast<size_t>(std::min<uint64_t>(size_, in.size() - at));
            size_ -= size;
            if (size_ == 0) {
                state_ = State::kDataCr;
            }
            return {Status::kData, at + size, in.substr(at, size)};
        }
        if (!Take(in[at])) {
            state_ = State::kBad;
            break;
        }
        ++at;
    }
    if (state_ == State::kBad) {
        return {Status::kBad, at, {}};
    }
    return {state_ == State::kEnd ? Status::kDone : Status::kNeedMore, at, {}};
}

bool ChunkedDecoder::Take(char c) {
    switch (state_) {
        case State::kSizeFirst:
        case State::kSize: {
            int digit = HexDigit(c);
            if (digit >= 0) {
                state_ = State::kSize;
                size_ = (size_ << 4) | static_cast<uint64_t>(digit);
                ++line_;
                // 16 digits at most, and never above what a signed length can say.
                return ++digits_ <= 16 && size_ <= uint64_t{INT64_MAX};
            }
            if (state_ == State::kSizeFirst || (c != ';' && c != '\r')) {
                return false;
            }
            state_ = c == ';' ? State::kExtension : State::kSizeLf;
            return true;
        }
        case State::kExtension:
            if (c == '\r') {
                state_ = State::kSizeLf;
                return true;
            }
            return ++line_ <= kLineMost && IsText(c);
        case State::kSizeLf: return c == '\n' && EndOfSizeLine();
        case State::kDataCr: state_ = State::kDataLf; return c == '\r';
        case State::kDataLf:
            state_ = State::kSizeFirst;
            digits_ = 0;
            line_ = 0;
            return c == '\n';
        default: return TakeTrailer(c);
    }
}

// Many tiny chunks with long size lines cost more to read than they carry: Go's bound.
bool ChunkedDecoder::EndOfSizeLine() {
    uint64_t fair = 16 + 2 * std::min<uint64_t>(size_, kExcessMost);
    excess_ += line_ + 2;
    excess_ = excess_ > fair ? excess_ - static_cast<uint32_t>(fair) : 0;
    state_ = size_ == 0 ? State::kTrailerStart : State::kData;
    return excess_ <= kExcessMost;
}

bool ChunkedDecoder::TakeTrailer(char c) {
    if (c != '\r' && c != '\n' && trailers_left_-- == 0) {
        trailers_left_ = 0;
        return false;
    }
    switch (state_) {
        case State::kTrailerStart:
            if (c == '\r') {
                state_ = State::kEndLf;
                return true;
            }
            state_ = State::kTrailerName;
            return IsTokenByte(c);
        case State::kTrailerName:
            if (c == ':') {
                state_ = State::kTrailerValue;
                return true;
            }
            return IsTokenByte(c);
        case State::kTrailerValue:
            if (c == '\r') {
                state_ = State::kTrailerLf;
                return true;
            }
            return IsText(c);
        case State::kTrailerLf: state_ = State::kTrailerStart; return c == '\n';
        case State::kEndLf: state_ = State::kEnd; return c == '\n';
        default: return false;
    }
}

}  // namespace rr::http
