#include "plugins/http/head_guard.hpp"

#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/api/http_text.hpp"
#include "plugins/http/head.hpp"

namespace rr::http {
namespace {

bool IsControl(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }

// The first control byte (but not a tab) at or after p; end if there is none.
const char* FindControl(const char* p, const char* end) {
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes);
        below = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), below);
        int mask = _mm_movemask_epi8(_mm_or_si128(below, _mm_cmpeq_epi8(bytes, del)));
        if (mask != 0) {
            return p + __builtin_ctz(static_cast<unsigned>(mask));
        }
        p += 16;
    }
#endif
    while (p != end && !IsControl(static_cast<unsigned char>(*p))) {
        ++p;
    }
    return p;
}

HeadFault ControlFault(char c) { return c == '\r' ? HeadFault::kBareCr : HeadFault::kControl; }

}  // namespace

FaultText Describe(HeadFault fault) {
    switch (fault) {
        case HeadFault::kNone: return {200, ""};
        case HeadFault::kBareCr: return {400, "bare CR"};
        case HeadFault::kBareLf: return {400, "bare LF"};
        case HeadFault::kControl: return {400, "control byte"};
        case HeadFault::kFold: return {400, "folded header line"};
        case HeadFault::kRequestLine: return {400, "malformed request line"};
        case HeadFault::kMethod: return {400, "invalid method"};
        case HeadFault::kTarget: return {400, "invalid request target"};
        case HeadFault::kVersion: return {505, "unsupported protocol version"};
        case HeadFault::kName: return {400, "invalid header name"};
        case HeadFault::kNoColon: return {400, "header line without colon"};
        case HeadFault::kNoHost: return {400, "missing required Host header"};
        case HeadFault::kTwoHosts: return {400, "too many Host headers"};
        case HeadFault::kHost: return {400, "malformed Host header"};
        case HeadFault::kLength: return {400, "invalid Content-Length"};
        case HeadFault::kTwoLengths: return {400, "repeated Content-Length"};
        case HeadFault::kEncoding: return {400, "unsupported Transfer-Encoding"};
        case HeadFault::kEncodingOn10: return {400, "Transfer-Encoding on HTTP/1.0"};
        case HeadFault::kLengthAndEncoding: return {400, "Content-Length beside Transfer-Encoding"};
        case HeadFault::kTargetTooLong: return {414, "request target too long"};
        case HeadFault::kHeadTooLarge: return {431, "request head too large"};
        case HeadFault::kTooManyHeaders: return {431, "too many headers"};
        case HeadFault::kParser: return {400, "malformed request"};
    }
    return {400, ""};
}

void HeadGuard::Reset() {
    std::vector<Field> kept = std::move(fields_);
    kept.clear();
    HeadLimits limits = limits_;
    *this = HeadGuard(limits);
    fields_ = std::move(kept);
}

HeadGuard::Status HeadGuard::Bad(HeadFault fault) {
    fault_ = fault;
    return Status::kBad;
}

HeadGuard::Status HeadGuard::Scan(Bytes in) {
    if (fault_ != HeadFault::kNone) {
        return Status::kBad;
    }
    const char* base = in.data();
    while (true) {
        const void* found =
            seen_ < in.size() ? std::memchr(base + seen_, '\n', in.size() - seen_) : nullptr;
        if (found == nullptr) {
            return NeedMore(in);
        }
        size_t lf = static_cast<size_t>(static_cast<const char*>(found) - base);
        if (lf >= limits_.head && has_line_) {
            return Bad(HeadFault::kHeadTooLarge);
        }
        if (lf == line_at_ || base[lf - 1] != '\r') {
            return Bad(HeadFault::kBareLf);
        }
        uint32_t at = line_at_;
        uint32_t size = static_cast<uint32_t>(lf - 1 - at);
        line_at_ = seen_ = static_cast<uint32_t>(lf + 1);
        if (!has_line_) {
            if (size == 0 && !skipped_) {
                skipped_ = true;  // RFC 9112 2.2: an empty line in front is ignored
                continue;
            }
            HeadFault fault = RequestLine(base, at, size);
            if (fault != HeadFault::kNone) {
                return Bad(fault);
            }
            if (line_at_ > limits_.head) {
                return Bad(HeadFault::kHeadTooLarge);
            }
            has_line_ = true;
            lines_at_ = line_at_;
            continue;
        }
        if (size == 0) {
            size_ = line_at_;
            HeadFault fault = Finish();
            return fault == HeadFault::kNone ? Status::kComplete : Bad(fault);
        }
        HeadFault fault = HeaderLine(base, at, size);
        if (fault != HeadFault::kNone) {
            return Bad(fault);
        }
    }
}

// What has arrived of an unfinished line must already be within the limits.
HeadGuard::Status HeadGuard::NeedMore(Bytes in) {
    seen_ = static_cast<uint32_t>(in.size());
    if (!has_line_) {
        // The method and its blank count as 32 bytes at most: none of the known ones is longer.
        if (in.size() - line_at_ > size_t{limits_.target} + 32) {
            Bytes line = in.substr(line_at_);
            size_t blank = line.find(' ');
            return Bad(blank <= 31 ? HeadFault::kTargetTooLong : HeadFault::kRequestLine);
        }
        return Status::kNeedMore;
    }
    return in.size() >= limits_.head ? Bad(HeadFault::kHeadTooLarge) : Status::kNeedMore;
}

HeadFault HeadGuard::RequestLine(const char* base, uint32_t at, uint32_t size) {
    Bytes line(base + at, size);
    const char* control = FindControl(line.data(), line.data() + line.size());
    if (control != line.data() + line.size()) {
        return ControlFault(*control);
    }
    uint32_t hash = 0;
    size_t method = TokenPrefix(line, hash);
    if (method == 0 || method == line.size() || line[method] != ' ') {
        return HeadFault::kMethod;
    }
    size_t blank = line.find(' ', method + 1);
    if (blank == Bytes::npos || blank == method + 1) {
        return HeadFault::kRequestLine;  // also HTTP/0.9, which has no version
    }
    if (line.find('\t', method) != Bytes::npos) {
        return HeadFault::kRequestLine;  // a blank of header values, nowhere else
    }
    if (blank - method - 1 > limits_.target) {
        return HeadFault::kTargetTooLong;
    }
    method_ = {at, static_cast<uint32_t>(method)};
    target_ = {at + static_cast<uint32_t>(method) + 1, static_cast<uint32_t>(blank - method - 1)};

    Bytes version = line.substr(blank + 1);
    if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.' ||
        version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9') {
        return HeadFault::kRequestLine;
    }
    if (version[5] != '1') {
        return HeadFault::kVersion;
    }
    minor_ = version[7] == '0' ? 0 : 1;  // a later 1.x is answered as 1.1
    TargetForm form;
    if (!IdentifyTarget(target_.In(base), IdentifyMethod(method_.In(base)), form)) {
        return HeadFault::kTarget;
    }
    return HeadFault::kNone;
}

HeadFault HeadGuard::HeaderLine(const char* base, uint32_t at, uint32_t size) {
    Bytes line(base + at, size);
    if (line[0] == ' ' || line[0] == '\t') {
        return HeadFault::kFold;
    }
    if (fields_.size() >= limits_.headers) {
        return HeadFault::kTooManyHeaders;
    }
    Field field;
    size_t name = TokenPrefix(line, field.hash);
    if (name == line.size()) {
        return HeadFault::kNoColon;
    }
    if (name == 0 || line[name] != ':') {
        unsigned char c = static_cast<unsigned char>(line[name]);
        return IsControl(c) ? ControlFault(line[name]) : HeadFault::kName;
    }
    const char* end = line.data() + line.size();
    const char* control = FindControl(line.data() + name + 1, end);
    if (control != end) {
        return ControlFault(*control);
    }
    Bytes value = TrimBlanks(line.substr(name + 1));
    field.name = {at, static_cast<uint32_t>(name)};
    field.value = {static_cast<uint32_t>(value.data() - base), static_cast<uint32_t>(value.size())};
    field.id = IdentifyHashed(line.substr(0, name), field.hash);
    fields_.push_back(field);
    switch (field.id) {
        case HeaderId::kHost:
        case HeaderId::kContentLength:
        case HeaderId::kTransferEncoding: return Special(base, field);
        default: return HeadFault::kNone;
    }
}

HeadFault HeadGuard::Special(const char* base, const Field& field) {
    Bytes value = field.value.In(base);
    if (field.id == HeaderId::kHost) {
        if (host_ != kAbsent) {
            return HeadFault::kTwoHosts;
        }
        host_ = static_cast<uint32_t>(fields_.size() - 1);
        return IsHostText(value) ? HeadFault::kNone : HeadFault::kHost;
    }
    if (field.id == HeaderId::kContentLength) {
        if (has_length_) {
            return HeadFault::kTwoLengths;
        }
        has_length_ = true;
        return http_text::ParseLength(value, length_) ? HeadFault::kNone : HeadFault::kLength;
    }
    if (chunked_ || !EqualsIgnoreCase(value, "chunked")) {
        return HeadFault::kEncoding;
    }
    chunked_ = true;
    return minor_ == 0 ? HeadFault::kEncodingOn10 : HeadFault::kNone;
}

HeadFault HeadGuard::Finish() const {
    if (chunked_ && has_length_) {
        return HeadFault::kLengthAndEncoding;
    }
    return host_ == kAbsent && minor_ > 0 ? HeadFault::kNoHost : HeadFault::kNone;
}

}  // namespace rr::http
