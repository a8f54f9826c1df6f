// Span: a recording in the words of OpenTelemetry's HTTP conventions (1.26), for the encoders.
//
//   <target>        server    the request: from its head to the end of its answer
//     http          internal  the worker's part, seen from here: body, queue, run, answer
//
// Thread: values; views point into the recording.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plugins/otel/recording.hpp"

namespace rr::otel {

struct Attribute {
    std::string_view key;
    std::variant<std::string_view, int64_t> value;
};

struct Span {
    enum class Kind : uint8_t { kInternal = 1, kServer = 2 };

    std::string_view name;
    Kind kind = Kind::kServer;
    TraceId trace;
    SpanId id;
    SpanId parent;               // not valid: none
    bool remote_parent = false;  // somebody else's
    std::string_view state;
    int64_t start_ns = 0;
    int64_t end_ns = 0;
    std::vector<Attribute> attributes;
    bool error = false;
    std::string error_type;  // a view of it may stand in attributes

    // Forgets what it was and keeps the memory.
    void Clear() {
        std::vector<Attribute> kept = std::move(attributes);
        kept.clear();
        *this = Span();
        attributes = std::move(kept);
    }
};

// The two of a recording. REQUIRES: span is new, or cleared.
void DescribeRequest(const Recording& recording, Span& span);
void DescribeCall(const Recording& recording, Span& span);

// Gives `take` the spans of all recordings, a request's outermost first; each is gone after the call.
template <class Take>
void EachSpan(const Batch& batch, Take take) {
    Span span;
    for (const auto& recording : batch.recordings) {
        span.Clear();
        DescribeRequest(*recording, span);
        take(span);
        if (recording->facts.outcome.worker) {
            span.Clear();
            DescribeCall(*recording, span);
            take(span);
        }
    }
}

// What is the same for all spans.
struct Resource {
    std::vector<std::pair<std::string, std::string>> attributes;
    std::string scope_version;

    std::string_view Get(std::string_view key) const {
        for (const auto& [name, value] : attributes) {
            if (name == key) {
                return value;
            }
        }
        return {};
    }
};

inline constexpr std::string_view kScope = "rr/http";
inline constexpr std::string_view kSchema = "https://opentelemetry.io/schemas/1.26.0";

}  // namespace rr::otel
