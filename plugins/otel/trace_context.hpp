// What callers tell of their trace in headers, and what is told to PHP: W3C Trace Context and Baggage,
// and Jaeger's own form.
//
//   traceparent     00-<32 hex: trace>-<16 hex: span>-<2 hex: flags>
//   tracestate      key=value,key=value          of vendors; passed on
//   baggage         key=value;property,key=value of applications; passed on
//   uber-trace-id   <hex: trace>:<hex: span>:<parent, ignored>:<hex: flags>
//
// Thread: values only. Never fails: what is malformed is not there.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "plugins/otel/ids.hpp"

namespace rr::otel {

struct TraceContext {
    TraceId trace;
    SpanId span;
    bool sampled = false;

    bool operator==(const TraceContext&) const = default;
};

// True: `out` is valid. A version above 00 may have more behind the flags.
bool ParseTraceparent(std::string_view text, TraceContext& out);
bool ParseJaeger(std::string_view text, TraceContext& out);

// At most 32 members, each with a key and a value of the right letters, no key twice.
bool IsTracestate(std::string_view text);

// True: `text` may be passed on as it is. Else `kept` is what is right of it: at most 180 members and
// 8,192 bytes; empty: nothing is.
bool CheckBaggage(std::string_view text, std::string& kept);

// For PHP.
inline constexpr size_t kTraceparentSize = 55;
inline constexpr size_t kJaegerSize = 53;
std::array<char, kTraceparentSize> WriteTraceparent(const TraceContext& context);
std::array<char, kJaegerSize> WriteJaeger(const TraceContext& context);

// Lower case, two digits a byte.
void WriteHex(const uint8_t* bytes, size_t size, char* out);

}  // namespace rr::otel
