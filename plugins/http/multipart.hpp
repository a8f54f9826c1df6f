// MultipartParser: a multipart/form-data body as it arrives, cut into parts.
//
//   --boundary CRLF  header lines CRLF  CRLF  data  CRLF--boundary ...  CRLF--boundary--
//
// A body whose first boundary line ends with a bare LF uses bare LF throughout (Go's rule). Text
// before the first boundary and after the last is dropped; parts without a name are read and dropped.
//
// Thread: one per request.
// Owns:   a carry of at most one header block (64 KiB) or a boundary's length.
// Fails:  with a BodyFault: 400, or 413 above the form limit. For good.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"
#include "plugins/http/body_fault.hpp"

namespace rr::http {

struct MultipartLimits {
    uint32_t parts = 1000;
    uint32_t headers = 10000;          // lines, over all parts
    uint64_t form = 64 * 1024 * 1024;  // bytes of plain fields and of all part heads
};

// Who takes the parts. Views are valid during the call.
class PartSink {
public:
    // A file is a part with a non-empty filename: its base name.
    virtual BodyFault OnPart(Bytes name, Bytes filename, Bytes content_type) = 0;
    virtual void OnPartData(Bytes data) = 0;
    virtual BodyFault OnPartEnd() = 0;

protected:
    ~PartSink() = default;
};

class MultipartParser {
public:
    MultipartParser(const MultipartLimits& limits, PartSink& sink);

    // Takes the boundary from the request's Content-Type.
    BodyFault Open(Bytes content_type);
    // The next bytes of the body, all of them.
    BodyFault Feed(Bytes data);
    // The body is complete.
    BodyFault Finish();

private:
    enum class State : uint8_t {
        kPreamble,  // before the first boundary line
        kHeaders,   // lines of a part's head
        kData,
        kAfter,  // right behind a boundary: rest of its line
        kEpilogue,
        kBad,
    };

    // Each takes what it can from rest_; stuck: it needs more bytes.
    BodyFault Step(bool& stuck);
    BodyFault Preamble(bool& stuck);
    BodyFault Headers(bool& stuck);
    BodyFault Data(bool& stuck);
    BodyFault After(bool& stuck);

    bool TakeLine(Bytes& line);
    bool IsPartLine(Bytes rest);
    bool IsFinalLine(Bytes rest) const;
    BodyFault NewPart();
    BodyFault HeaderLine(Bytes line);
    BodyFault FieldDone();
    BodyFault StartData();
    BodyFault Emit(Bytes data);
    Bytes Dashes() const { return Bytes(delimiter_).substr(bare_lf_ ? 1 : 2); }

    const MultipartLimits limits_;
    PartSink& sink_;
    State state_ = State::kPreamble;
    bool bare_lf_ = false;
    std::string delimiter_;  // CRLF (or LF) and `--boundary`
    Buffer carry_;           // bytes that could not be judged yet
    Bytes rest_;             // what Feed still has to look at: in carry_ or in its argument

    // The part at hand.
    std::string field_;  // header line being put together (it may be folded)
    std::string disposition_;
    std::string content_type_;
    size_t head_bytes_ = 0;
    bool data_begins_ = false;  // a boundary may follow without a line end
    bool dropped_ = false;
    bool file_ = false;

    // Counts of the whole body.
    uint32_t parts_ = 0;
    uint32_t headers_ = 0;
    uint64_t form_bytes_ = 0;
};

}  // namespace rr::http
