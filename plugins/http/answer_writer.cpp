#include "plugins/http/answer_writer.hpp"

#include <algorithm>
#include <ctime>
#include <string>

#include "core/api/http_text.hpp"
#include "core/files/sniff.hpp"

namespace rr::http {

namespace {

constexpr size_t kKeep = 64 * 1024;  // buffers that a burst grew beyond are given back

struct Failure {
    int status;
    bool replaceable;  // by http.internal_error_code
    Bytes text;        // if the pool has none
};

Failure FailureOf(pool::JobEnd end) {
    switch (end) {
        case pool::JobEnd::kDone: return {502, true, "worker sent no answer"};
        case pool::JobEnd::kSoftError: return {500, true, "worker reported an error"};
        case pool::JobEnd::kWorkerDied: return {502, true, "worker died"};
        case pool::JobEnd::kProtocol: return {502, true, "worker broke the protocol"};
        case pool::JobEnd::kExecTtl: return {504, true, "exec_ttl passed"};
        case pool::JobEnd::kBootFailed: return {502, true, "the worker did not start"};
        case pool::JobEnd::kStandstill: return {503, true, "the workers do not start"};
        case pool::JobEnd::kNoWorker: return {503, true, "no free worker"};
        case pool::JobEnd::kQueueFull: return {503, true, "queue is full"};
        case pool::JobEnd::kClosed: return {503, true, "server is stopping"};
        case pool::JobEnd::kTooLarge: return {413, false, "request is too large for a frame"};
        case pool::JobEnd::kCancelled: break;
    }
    return {503, true, "cancelled"};
}

}  // namespace

bool AnswerWriter::IsLength(const AnswerField& field) {
    return IdentifyHeader(field.name) == HeaderId::kContentLength;
}

Bytes AnswerTools::Date() { return date.At(static_cast<int64_t>(std::time(nullptr))); }

void AnswerWriter::Begin(AnswerTools& tools, AnswerHandler& handler, Wire& wire,
                         const RequestHead& head) {
    r_ = Request();
    r_.tools = &tools;
    r_.handler = &handler;
    r_.wire = &wire;
    r_.minor = head.minor;
    r_.head_request = head.verb == Method::kHead;
    r_.wants_more = head.keep_alive;
    r_.reasons = tools.config.pool.debug;
}

void AnswerWriter::Reset() {
    held_.Clear(kKeep);
    trailers_.Clear(kKeep);
    if (!carried_.empty()) {
        carried_.Clear();
    }
    filters_.clear();
    filtered_.Clear(kKeep);
    between_.Clear(kKeep);
    replacement_.clear();
    r_ = Request();
}

void AnswerWriter::OnHead(const pool::AnswerHead& head) {
    if (r_.wire == nullptr) {
        return;
    }
    r_.frame_left = head.body_size;
    r_.more = head.more;
    r_.in_chunk = false;
    switch (r_.state) {
        case State::kNothing: TakeFirst(head); break;
        case State::kHeld:
            // An empty first frame, and no last one: the body's first byte decides what is sniffed.
            r_.held_size += head.body_size;
            break;
        case State::kWhole:
        case State::kBody:
        case State::kOwn: break;
    }
}

void AnswerWriter::TakeFirst(const pool::AnswerHead& head) {
    Answer& answer = r_.tools->answer;
    AnswerFault fault = r_.tools->decoder.Decode(head.flags, head.context, head.body_size, answer);
    if (fault != AnswerFault::kNone) {
        BadAnswer(Describe(fault));
        return;
    }
    if (!answer.status_valid()) {
        TakeBadStatus();
        return;
    }
    bool switches = answer.status == 101 && r_.minor > 0 && r_.wire->form == WireForm::kHttp1;
    if (answer.informational() && (head.more || switches)) {
        // 101 ends the answer in RoadRunner, and HTTP goes on behind it.
        if (answer.status != 101 || switches) {
            r_.tools->writer.WriteInformational(answer, r_.minor, *r_.wire);
            r_.wire->Flushed();
        }
        if (head.more) {
            carried_.Add(answer);
            return;
        }
        r_.status = 101;
        r_.state = State::kOwn;
        r_.plan.keep_alive = r_.wants_more && r_.handler->KeepsAlive();
        return;
    }
    if (answer.informational()) {
        BadAnswer("no final status");
        return;
    }
    if (head.whole && !head.more) {
        r_.state = State::kWhole;
        if (head.body_size == 0) {
            TakeWhole({});
        }
        return;
    }
    r_.state = State::kHeld;
    r_.held_flags = head.flags;
    r_.held_size = head.body_size;
    held_.Append(head.context);
}

// The worker's headers stay, but for those that describe its body.
void AnswerWriter::TakeBadStatus() {
    Answer& answer = r_.tools->answer;
    std::string text = "unknown status code from worker: " + std::to_string(answer.status) + "\n";
    std::erase_if(answer.fields, [](const AnswerField& field) {
        HeaderId id = IdentifyHeader(field.name);
        return id == HeaderId::kContentLength || id == HeaderId::kContentType ||
               id == HeaderId::kContentEncoding || id == HeaderId::kTransferEncoding ||
               EqualsIgnoreCase(field.name, "X-Content-Type-Options");
    });
    answer.fields.push_back({"Content-Type", "text/plain; charset=utf-8"});
    answer.fields.push_back({"X-Content-Type-Options", "nosniff"});
    WriteShort(500, text, nullptr, false);
}

// An answer of one frame, all of it at hand.
void AnswerWriter::TakeWhole(Bytes body) {
    r_.written = body.size();
    if (r_.tools->edited) {
        EditHead(true, body.size(), body.substr(0, files::kSniffBytes));
        if (r_.replaced) {
            SendReplacement();
            return;
        }
        if (!filters_.empty()) {
            if (!RunFilters(body, HttpBodyFilter::Step::kLast)) {
                BadAnswer("a middleware could not encode the body");
                return;
            }
            filters_.clear();
            body = filtered_.view();
        }
    }
    r_.frame_left = body.size();
    WriteHead(true, body.size(), body.substr(0, files::kSniffBytes), false);
    WriteFrame(body);
    if (r_.plan.framing == Framing::kNone) {
        r_.written = 0;
    }
}

bool AnswerWriter::OnChunk(Bytes body) {
    if (r_.wire == nullptr || r_.state == State::kOwn || r_.state == State::kNothing) {
        return true;
    }
    if (r_.state == State::kWhole) {
        TakeWhole(body);
        if (r_.wire != nullptr) {
            r_.wire->Flushed();
        }
        return true;
    }
    if (r_.state == State::kHeld && !body.empty()) {
        StartStream(body.substr(0, files::kSniffBytes));
        if (r_.state == State::kOwn) {
            return true;
        }
    }
    if (r_.plan.framing != Framing::kNone) {
        r_.written += body.size();
    }
    if (filters_.empty()) {
        WriteFrame(body);
    } else {
        r_.frame_left -= std::min<uint64_t>(r_.frame_left, body.size());
        bool pause = r_.frame_left == 0 && r_.more;
        if (r_.promised) {
            r_.overflow = r_.overflow || body.size() > r_.promised_left;
            body = body.substr(0, std::min<uint64_t>(body.size(), r_.promised_left));
            r_.promised_left -= body.size();
        }
        WriteFiltered(body, pause ? HttpBodyFilter::Step::kFlush : HttpBodyFilter::Step::kMore);
    }
    r_.wire->Flushed();
    bool goes_on = r_.more || r_.frame_left > 0;
    if (goes_on && r_.wire->queued() >= kHighWater) {
        r_.handler->OnAnswerPaused();
        return false;
    }
    return true;
}

// The first byte of an answer that comes in pieces, or its end without one.
void AnswerWriter::StartStream(Bytes body_start) {
    Answer& answer = r_.tools->answer;
    // It was decoded once already, so it decodes.
    r_.tools->decoder.DecodeCopy(r_.held_flags, held_.view(), r_.held_size, answer);
    // One frame that comes in pieces has a known length; more than one has none.
    bool whole = !r_.more && r_.frame_left == r_.held_size;
    if (r_.tools->edited) {
        EditHead(whole, r_.held_size, body_start);
        if (r_.replaced) {
            SendReplacement();
            return;
        }
        whole = whole && !r_.resized;
    }
    WriteHead(whole, r_.held_size, body_start, false);
}

// Shows the head to the middlewares, with what informational answers left for it.
void AnswerWriter::EditHead(bool whole, uint64_t size, Bytes start) {
    Answer& answer = r_.tools->answer;
    std::vector<AnswerField>& fields = answer.fields;
    if (!carried_.empty() && !r_.carried_edited) {
        std::vector<AnswerField> all;
        carried_.AppendTo(all);
        fields.insert(fields.begin(), all.begin(), all.end());
        r_.carried_edited = true;
    }
    int status = static_cast<int>(answer.status);
    std::string body;
    HttpFile file;
    AnswerDraft draft{.status = status,
                      .fields = fields,
                      .head_request = r_.head_request,
                      .has_body = !r_.head_request && AllowsBody(status) && (!whole || size > 0),
                      .body_size = whole ? static_cast<int64_t>(size) : -1,
                      .body_start = start,
                      .filters = filters_,
                      .body = body,
                      .file = file};
    r_.handler->OnAnswerHead(draft);
    if (draft.replaced) {
        answer.status = draft.status;
        r_.replaced = true;
        replacement_.push_back({std::move(body), std::move(file)});
    }
    r_.resized = draft.replaced || std::any_of(filters_.begin(), filters_.end(),
                                               [](auto& filter) { return !filter->KeepsSize(); });
    if (!filters_.empty() && !whole && !draft.replaced) {
        auto length = std::find_if(fields.begin(), fields.end(), IsLength);
        r_.promised = length != fields.end() &&
                      http_text::ParseLength(TrimBlanks(length->value), r_.promised_left);
    }
    if (r_.resized) {
        std::erase_if(fields, IsLength);
    }
}

void AnswerWriter::WriteHead(bool whole, uint64_t body_size, Bytes body_start, bool close) {
    ResponseFacts facts;
    facts.minor = r_.minor;
    facts.head_request = r_.head_request;
    facts.keep_alive = !close && r_.wants_more && r_.handler->KeepsAlive();
    facts.whole = whole;
    facts.body_size = body_size;
    facts.body_start = body_start;
    facts.date = r_.tools->Date();
    const Answer& answer = r_.tools->answer;
    r_.plan = r_.tools->writer.WriteHead(answer, facts, Carried(), *r_.wire, trailers_);
    r_.status = static_cast<int>(answer.status);
    r_.length_left = r_.plan.length;
    r_.state = State::kBody;
    r_.wire->Flushed();
    if (r_.plan.drops_body && !r_.head_request) {
        r_.handler->OnAnswerTrouble(
            "write response", "http: request method or response status code does not allow body");
    }
}

// Part of a worker's frame: one chunk of HTTP/1.1 per frame.
void AnswerWriter::WriteFrame(Bytes body) {
    uint64_t left = r_.frame_left;
    r_.frame_left -= std::min<uint64_t>(left, body.size());
    if (r_.plan.framing != Framing::kChunked) {
        WritePiece(body);
        return;
    }
    Buffer& out = r_.wire->out;
    if (!r_.in_chunk && left > 0) {
        char chunk_head[kChunkHeadMost];
        out.Append({chunk_head, WriteChunkHead(left, chunk_head)});
        r_.in_chunk = true;
    }
    out.Append(body);
    if (r_.in_chunk && r_.frame_left == 0) {
        out.Append(kChunkEnd);
        r_.in_chunk = false;
    }
}

// Bytes of the body that stand for themselves.
void AnswerWriter::WritePiece(Bytes bytes) {
    Buffer& out = r_.wire->out;
    switch (r_.plan.framing) {
        case Framing::kNone: return;
        case Framing::kLength:
            if (bytes.size() > r_.length_left) {
                r_.overflow = true;
                bytes = bytes.substr(0, r_.length_left);
            }
            r_.length_left -= bytes.size();
            out.Append(bytes);
            return;
        case Framing::kChunked:
            if (!bytes.empty()) {
                char chunk_head[kChunkHeadMost];
                out.Append({chunk_head, WriteChunkHead(bytes.size(), chunk_head)});
                out.Append(bytes);
                out.Append(kChunkEnd);
            }
            return;
        case Framing::kClose:
        case Framing::kOuter: out.Append(bytes); return;
    }
}

void AnswerWriter::WriteFiltered(Bytes in, HttpBodyFilter::Step step) {
    if (r_.cut || r_.plan.framing == Framing::kNone) {
        return;
    }
    if (!RunFilters(in, step)) {
        r_.cut = true;
        r_.handler->OnAnswerTrouble("write response", "a middleware could not encode the body");
        return;
    }
    WritePiece(filtered_.view());
}

// The result stands in filtered_.
bool AnswerWriter::RunFilters(Bytes in, HttpBodyFilter::Step step) {
    for (auto& filter : filters_) {
        between_.Clear(kKeep);
        if (!filter->Filter(in, step, between_)) {
            return false;
        }
        std::swap(between_, filtered_);
        in = filtered_.view();
    }
    return true;
}

void AnswerWriter::OnDone(const pool::JobResult& result) {
    AnswerEnd end = AnswerEnd::kAbort;
    if (r_.wire == nullptr) {
        r_.handler->OnAnswerEnd(end);
        return;
    }
    if (r_.pieces != nullptr) {
        r_.worker_done = true;
        r_.handler->OnWorkerDone();
        return;
    }
    bool done = result.end == pool::JobEnd::kDone;
    switch (r_.state) {
        case State::kOwn: end = EndOfOwn(); break;
        case State::kNothing:
            FailBeforeHead(result);
            end = EndOfOwn();
            break;
        case State::kWhole:
        case State::kHeld:
            // Frames without a body, and then the end.
            if (done && r_.state == State::kHeld && r_.held_size == 0) {
                r_.more = false;
                r_.frame_left = 0;
                StartStream({});
                if (r_.pieces != nullptr) {
                    r_.worker_done = true;
                    r_.handler->OnWorkerDone();
                    return;
                }
                end = r_.state == State::kBody ? FinishBody() : EndOfOwn();
                break;
            }
            FailBeforeHead(result);
            end = EndOfOwn();
            break;
        case State::kBody:
            if (done) {
                end = FinishBody();
                break;
            }
            // The head is out: only the record can still tell.
            r_.status = r_.tools->config.ErrorStatus(FailureOf(result.end).status);
            r_.handler->OnAnswerTrouble("read stream", result.message.empty()
                                                           ? FailureOf(result.end).text
                                                           : result.message);
            break;
    }
    r_.wire->Flushed();
    r_.handler->OnAnswerEnd(end);
}

AnswerEnd AnswerWriter::FinishBody() {
    if (r_.promised && r_.promised_left > 0 && r_.plan.framing != Framing::kNone) {
        // Before the filters hear of an end: the client must see that there was none.
        r_.handler->OnAnswerTrouble("read stream", "worker sent less than its Content-Length");
        return AnswerEnd::kAbort;
    }
    if (!filters_.empty()) {
        WriteFiltered({}, HttpBodyFilter::Step::kLast);
        filters_.clear();
    }
    if (r_.cut) {
        return AnswerEnd::kAbort;
    }
    if (r_.plan.framing == Framing::kLength && r_.length_left > 0) {
        r_.handler->OnAnswerTrouble("read stream", "worker sent less than its Content-Length");
        return AnswerEnd::kAbort;
    }
    if (r_.plan.framing == Framing::kChunked) {
        AppendLastChunk(trailers_.view(), r_.wire->out);
    }
    r_.wire->End(r_.plan.framing == Framing::kNone ? Bytes() : trailers_.view());
    if (r_.overflow) {
        r_.handler->OnAnswerTrouble("read stream", "worker sent more than its Content-Length");
    }
    return r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
}

void AnswerWriter::BadAnswer(Bytes reason) {
    r_.handler->OnAnswerTrouble("execute", reason);
    WriteOwn(r_.tools->config.ErrorStatus(502), r_.reasons ? reason : Bytes(), false);
}

void AnswerWriter::FailBeforeHead(const pool::JobResult& result) {
    Failure failure = FailureOf(result.end);
    Bytes reason = result.message.empty() ? failure.text : result.message;
    r_.no_worker = result.end == pool::JobEnd::kNoWorker || result.end == pool::JobEnd::kQueueFull;
    if (result.end != pool::JobEnd::kStandstill) {  // the pool has told it, once
        r_.handler->OnAnswerTrouble("execute", reason);
    }
    const HttpConfig& config = r_.tools->config;
    int status = failure.replaceable ? config.ErrorStatus(failure.status) : failure.status;
    if (result.end == pool::JobEnd::kBootFailed || result.end == pool::JobEnd::kStandstill) {
        WriteBootPage(status, reason);
        return;
    }
    WriteOwn(status, r_.reasons ? reason : Bytes(), false);
}

}  // namespace rr::http
