// HeadGuard: reads the raw bytes of a request head before any parser does, and refuses whatever two
// parsers could understand differently.
//
// Refused: bare CR or LF, NUL and other control bytes, obs-fold, blanks in or after names, empty
// names, a missing Host on HTTP/1.1, a second Host, other versions than 1.x, Transfer-Encoding
// beside Content-Length, on 1.0 or other than the one value `chunked`, a Content-Length that is
// repeated, a list or has a sign, and heads above the limits.
//
// What it finds on its single pass it keeps as offsets, so that nobody looks for it again.
//
// Thread: a plain object; one per connection, or one per loop for heads that arrive whole.
// Owns:   the table of offsets, reused: no allocation once it has grown.
// Fails:  kBad with a HeadFault; Describe() gives status and reason.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {

struct HeadLimits {
    uint32_t target = 16 * 1024;  // bytes; above: 414
    uint32_t head = 64 * 1024;    // bytes of the whole head; above: 431
    uint32_t headers = 256;       // lines; above: 431
};

enum class HeadFault : uint8_t {
    kNone,
    kBareCr,
    kBareLf,
    kControl,      // NUL or another control byte
    kFold,         // a line that begins with a blank
    kRequestLine,  // not `method SP target SP version`
    kMethod,       // not a token
    kTarget,       // neither origin, absolute, authority nor asterisk form; or a bad escape
    kVersion,      // HTTP/2.0 and the like
    kName,         // a header name that is empty or no token
    kNoColon,      // a header line without a colon
    kNoHost,
    kTwoHosts,
    kHost,    // bytes that no host has
    kLength,  // Content-Length is not one plain number
    kTwoLengths,
    kEncoding,  // Transfer-Encoding is not exactly `chunked`
    kEncodingOn10,
    kLengthAndEncoding,
    kTargetTooLong,
    kHeadTooLarge,
    kTooManyHeaders,
    kParser,  // llhttp refuses what the guard let pass, or read something else
};

struct FaultText {
    uint16_t status;  // 400, 414, 431, 505
    Bytes reason;     // for people, constant
};
FaultText Describe(HeadFault fault);

class HeadGuard {
public:
    enum class Status : uint8_t { kNeedMore, kComplete, kBad };

    struct Span {
        uint32_t at = 0;
        uint32_t size = 0;
        Bytes In(const char* base) const { return {base + at, size}; }
    };
    struct Field {
        Span name;
        Span value;  // blanks around it trimmed
        uint32_t hash = 0;
        HeaderId id = HeaderId::kOther;
    };
    static constexpr uint32_t kAbsent = UINT32_MAX;

    explicit HeadGuard(const HeadLimits& limits) : limits_(limits) {}

    // Looks at `in`, the bytes of the connection from the start of the request on; with more bytes,
    // and perhaps at another address, again. One empty line in front is skipped.
    Status Scan(Bytes in);

    // Ready for the next request; the table keeps its memory.
    void Reset();

    HeadFault fault() const { return fault_; }

    // The rest is valid after kComplete.
    size_t size() const { return size_; }  // of the head with its empty line, from the start of in
    Span method() const { return method_; }
    Span target() const { return target_; }
    uint8_t minor() const { return minor_; }  // 0, or 1 for 1.1 and above
    const std::vector<Field>& fields() const { return fields_; }
    uint32_t lines_at() const { return lines_at_; }  // where the header lines begin
    uint32_t host() const { return host_; }          // index into fields(), or kAbsent
    bool has_length() const { return has_length_; }
    uint64_t length() const { return length_; }
    bool chunked() const { return chunked_; }

private:
    Status Bad(HeadFault fault);
    Status NeedMore(Bytes in);
    HeadFault RequestLine(const char* base, uint32_t at, uint32_t size);
    HeadFault HeaderLine(const char* base, uint32_t at, uint32_t size);
    HeadFault Special(const char* base, const Field& field);
    HeadFault Finish() const;

    HeadLimits limits_;

    // Where the scan stands.
    uint32_t line_at_ = 0;   // start of the line not yet read
    uint32_t seen_ = 0;      // no LF in [line_at_, seen_)
    bool skipped_ = false;   // the empty line in front was met
    bool has_line_ = false;  // the request line was read
    HeadFault fault_ = HeadFault::kNone;

    // What was found.
    uint32_t size_ = 0;
    uint32_t lines_at_ = 0;
    Span method_;
    Span target_;
    uint8_t minor_ = 1;
    bool has_length_ = false;
    bool chunked_ = false;
    uint64_t length_ = 0;
    uint32_t host_ = kAbsent;
    std::vector<Field> fields_;
};

}  // namespace rr::http
