#include "plugins/otel/tracing.hpp"

#include <utility>

#include "core/api/http_text.hpp"
#include "core/base/time.hpp"

namespace rr::otel {
namespace {

constexpr std::string_view kTraceparent = "Traceparent";
constexpr std::string_view kTracestate = "Tracestate";
constexpr std::string_view kBaggage = "Baggage";
constexpr std::string_view kJaeger = "Uber-Trace-Id";
constexpr std::string_view kAgent = "User-Agent";
constexpr size_t kFree = 512;  // recordings that wait for their next use

template <size_t kSize>
std::string_view View(const std::array<char, kSize>& text) {
    return {text.data(), text.size()};
}

// The values of all lines of that name, with commas between.
void Join(const HttpRequest& request, std::string_view name, std::string& out) {
    out.clear();
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        if (http_text::Equal(field.name, name)) {
            out.append(out.empty() ? "" : ",").append(field.value);
        }
    }
}

// A list that is too long to be kept loses whole members: a part of one would say something else.
std::string_view Shortened(std::string_view list) {
    if (list.size() <= Recording::kLongestText) {
        return list;
    }
    const size_t comma = list.rfind(',', Recording::kLongestText);
    return list.substr(0, comma == std::string_view::npos ? 0 : comma);
}

}  // namespace

Tracing::Tracing(Sampler sampler, size_t batch, Budget& budget, Full full)
    : sampler_(sampler), batch_(batch), budget_(budget), full_(std::move(full)), mine_([] {
          return std::make_unique<Mine>();
      }) {}

// What the caller says of its trace: not valid if that is nothing, or nothing that can be read. What
// goes on to PHP of it is right then. One look at each header: most requests have none of ours.
TraceContext Tracing::Extract(HttpRequest& request, Mine& mine, std::string_view& agent,
                              std::string_view& state) const {
    size_t parents = 0;
    size_t states = 0;
    size_t baggage = 0;
    std::string_view parent;
    std::string_view jaeger;
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        switch (field.name.size()) {
            case kTraceparent.size():
                if (http_text::Equal(field.name, kTraceparent)) {
                    parent = field.value;
                    ++parents;
                }
                break;
            case kTracestate.size():  // and of kAgent
                if (http_text::Equal(field.name, kTracestate)) {
                    ++states;
                } else if (http_text::Equal(field.name, kAgent) && agent.empty()) {
                    agent = field.value;
                }
                break;
            case kBaggage.size(): baggage += http_text::Equal(field.name, kBaggage) ? 1 : 0; break;
            case kJaeger.size():
                if (http_text::Equal(field.name, kJaeger)) {
                    jaeger = field.value;
                }
                break;
            default: break;
        }
    }
    TraceContext context;
    const bool read = parents == 1 && ParseTraceparent(parent, context);
    if (!read) {
        ParseJaeger(jaeger, context);
    }
    if (states > 0) {
        Join(request, kTracestate, mine.joined);
        if (read && IsTracestate(mine.joined)) {
            state = mine.joined;
        } else {
            request.RemoveHeader(kTracestate);  // of another trace, or of none
        }
    }
    if (baggage > 0) {
        PassBaggage(request, mine, baggage);
    }
    return context;
}

void Tracing::PassBaggage(HttpRequest& request, Mine& mine, size_t lines) const {
    std::string joined;  // mine.joined holds the state
    std::string_view text = request.Header(kBaggage);
    if (lines > 1) {
        Join(request, kBaggage, joined);
        text = joined;
    }
    if (CheckBaggage(text, mine.kept)) {
        return;
    }
    if (mine.kept.empty()) {
        request.RemoveHeader(kBaggage);
    } else {
        request.SetHeader(kBaggage, mine.kept);
    }
}

bool Tracing::OnRequest(HttpRequest& request, HttpAnswer&) {
    Mine& mine = mine_.Here();
    std::string_view agent;
    std::string_view state;
    const TraceContext parent = Extract(request, mine, agent, state);
    TraceContext inner;
    inner.trace = parent.trace.valid() ? parent.trace : mine.ids.NewTrace();
    inner.span = mine.ids.NewSpan();
    inner.sampled =
        parent.trace.valid() && sampler_.by_parent ? parent.sampled : sampler_.Sample(inner.trace);
    if (inner.sampled) {
        std::unique_ptr<Recording> recording;
        if (mine.free.empty()) {
            recording = std::make_unique<Recording>();
        } else {
            recording = std::move(mine.free.back());
            mine.free.pop_back();
        }
        Recording::Facts& facts = recording->facts;
        facts.trace = inner.trace;
        facts.parent = parent.span;
        facts.request = mine.ids.NewSpan();
        facts.call = inner.span;
        facts.secure = request.secure();
        facts.method = recording->Keep(request.method());
        facts.target = recording->Keep(request.target());
        facts.host = recording->Keep(request.host());
        facts.protocol = recording->Keep(request.protocol());
        facts.client = recording->Keep(request.remote_address());
        facts.agent = recording->Keep(agent);
        facts.state = recording->Keep(Shortened(state));
        facts.call_start_ns = UnixNanoseconds();
        request.state() = std::move(recording);
    }
    request.SetHeader(kTraceparent, View(WriteTraceparent(inner)));
    request.SetHeader(kJaeger, View(WriteJaeger(inner)));
    return true;
}

void Tracing::OnFinished(const HttpRequest& request, const HttpOutcome& outcome) {
    if (request.state() == nullptr) {
        return;  // not sampled
    }
    std::unique_ptr<Recording> recording(static_cast<Recording*>(request.state().release()));
    recording->facts.outcome = outcome;
    Mine& mine = mine_.Here();
    const size_t spans = recording->spans();
    if (!budget_.Take(spans)) {
        recording->Clear();
        mine.free.push_back(std::move(recording));
        return;
    }
    mine.finished.recordings.push_back(std::move(recording));
    mine.finished.spans += spans;
    if (mine.finished.spans >= batch_) {
        HandOver();
    }
}

void Tracing::HandOver() {
    Batch& finished = mine_.Here().finished;
    if (finished.recordings.empty()) {
        return;
    }
    full_(std::exchange(finished, Batch()));
}

void Tracing::TakeBack(Batch used) {
    Mine& mine = mine_.Here();
    for (std::unique_ptr<Recording>& recording : used.recordings) {
        if (mine.free.size() == kFree) {
            return;
        }
        recording->Clear();
        mine.free.push_back(std::move(recording));
    }
}

}  // namespace rr::otel
