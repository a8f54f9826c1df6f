// Recording: what is known of one request of a trace, from its head to its end: two spans at most.
//
// Thread: one at a time: the request's loop, then main, then a helper thread, then the loop again.
// Owns:   copies of the texts, in memory that the next request uses again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "plugins/otel/ids.hpp"

namespace rr {
class Loop;
}

namespace rr::otel {

class Recording final : public HttpState {
public:
    static constexpr size_t kLongestText = 2048;  // what is longer is cut

    struct Text {
        uint32_t begin = 0;
        uint32_t size = 0;
    };
    struct Facts {
        TraceId trace;
        SpanId parent;   // not valid: this is the trace's first
        SpanId request;  // the span around all
        SpanId call;     // the span around the worker; PHP's parent
        bool secure = false;
        Text method;
        Text target;
        Text host;
        Text protocol;
        Text client;
        Text agent;
        Text state;
        int64_t call_start_ns = 0;
        HttpOutcome outcome;
    };

    Facts facts;

    Text Keep(std::string_view text) {
        text = text.substr(0, kLongestText);
        const Text kept{static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(text.size())};
        texts_.append(text);
        return kept;
    }
    std::string_view Get(Text text) const {
        return std::string_view(texts_).substr(text.begin, text.size);
    }
    // A worker was asked: there is a second span.
    size_t spans() const { return facts.outcome.worker ? 2 : 1; }

    void Clear() {
        facts = Facts{};
        texts_.clear();
    }

private:
    std::string texts_;
};

// Recordings of one loop, which gets them back.
struct Batch {
    std::vector<std::unique_ptr<Recording>> recordings;
    Loop* home = nullptr;  // null: they may end anywhere
    size_t spans = 0;
};

}  // namespace rr::otel
