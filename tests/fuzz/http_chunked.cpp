// The chunked decoder: the same data and the same end, whatever the pieces.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/http/chunked.hpp"

namespace {

using rr::http::ChunkedDecoder;

struct Outcome {
    ChunkedDecoder::Status status = ChunkedDecoder::Status::kNeedMore;
    std::string body;
    size_t consumed = 0;
};

Outcome Run(rr::Bytes in, size_t piece) {
    Outcome outcome;
    ChunkedDecoder decoder(64);
    while (outcome.consumed < in.size()) {
        rr::Bytes part = in.substr(outcome.consumed, piece);
        ChunkedDecoder::Step step = decoder.Next(part);
        RR_CHECK(step.consumed <= part.size());
        outcome.status = step.status;
        outcome.consumed += step.consumed;
        outcome.body += step.data;
        if (step.status == ChunkedDecoder::Status::kNeedMore) {
            RR_CHECK(step.consumed == part.size());
        } else if (step.status != ChunkedDecoder::Status::kData) {
            break;
        } else {
            RR_CHECK(!step.data.empty());
        }
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    Outcome whole = Run(in, size + 1);
    for (size_t piece : {size_t{1}, size_t{3}}) {
        Outcome parts = Run(in, piece);
        RR_CHECK(parts.body == whole.body && parts.consumed == whole.consumed);
        bool ended = whole.status == ChunkedDecoder::Status::kDone ||
                     whole.status == ChunkedDecoder::Status::kBad;
        RR_CHECK(!ended || parts.status == whole.status);
    }
    return 0;
}
