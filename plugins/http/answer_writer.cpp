#include "plugins/http/answer_writer.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

#include "plugins/http/boot_page.hpp"
#include "plugins/http/sniff.hpp"

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
        case pool::JobEnd::kBootFailed: return {503, true, "the workers do not start"};
        case pool::JobEnd::kNoWorker: return {503, true, "no free worker"};
        case pool::JobEnd::kQueueFull: return {503, true, "queue is full"};
        case pool::JobEnd::kClosed: return {503, true, "server is stopping"};
        case pool::JobEnd::kTooLarge: return {413, false, "request is too large for a frame"};
        case pool::JobEnd::kCancelled: break;
    }
    return {503, true, "cancelled"};
}

}  // namespace

Bytes AnswerTools::Date() { return date.At(static_cast<int64_t>(std::time(nullptr))); }

void AnswerWriter::Begin(AnswerTools& tools, AnswerHandler& handler, net::Stream& stream,
                         const RequestHead& head) {
    held_.Clear(kKeep);
    trailers_.Clear(kKeep);
    if (!carried_.empty()) {
        carried_.Clear();
    }
    r_ = Request();
    r_.tools = &tools;
    r_.handler = &handler;
    r_.stream = &stream;
    r_.minor = head.minor;
    r_.head_request = head.verb == Method::kHead;
    r_.wants_more = head.keep_alive;
}

void AnswerWriter::Refuse(int status, Bytes text, bool close) {
    WriteOwn(status, text, close);
    r_.handler->OnAnswerEnd(r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose);
}

void AnswerWriter::Send(const HttpAnswer& answer, bool close) {
    int status = answer.status;
    if (status < 200 || status > 599) {
        r_.handler->OnAnswerTrouble("execute",
                                    "a middleware answered with a status outside "
                                    "200..599");
        status = r_.tools->config.ErrorStatus(500);
    }
    std::vector<AnswerField>& fields = r_.tools->answer.fields;
    fields.clear();
    for (const auto& [name, value] : answer.headers) {
        fields.push_back({name, value});
    }
    WriteEdited(status, answer.body, close);
    r_.handler->OnAnswerEnd(r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose);
}

void AnswerWriter::OnHead(const pool::AnswerHead& head) {
    if (r_.stream == nullptr) {
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
        r_.state = State::kOwn;
        r_.status = r_.tools->config.ErrorStatus(500);
        if (r_.tools->edited) {
            EditHead(r_.status);
        }
        ResponseFacts facts;
        facts.minor = r_.minor;
        facts.head_request = r_.head_request;
        facts.keep_alive = r_.wants_more && r_.handler->KeepsAlive();
        facts.date = r_.tools->Date();
        r_.plan = r_.tools->writer.WriteBadStatus(answer, r_.status, facts, Carried(),
                                                  r_.stream->queue());
        r_.written = r_.head_request ? 0 : r_.plan.length;
        r_.stream->Flushed();
        return;
    }
    if (answer.informational() && (head.more || (answer.status == 101 && r_.minor > 0))) {
        // 101 ends the answer in RoadRunner, and HTTP goes on behind it.
        r_.tools->writer.WriteInformational(answer, r_.minor, r_.stream->queue());
        r_.stream->Flushed();
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
            WriteHead(true, 0, {});
        }
        return;
    }
    r_.state = State::kHeld;
    r_.held_flags = head.flags;
    r_.held_size = head.body_size;
    held_.Append(head.context);
}

bool AnswerWriter::OnChunk(Bytes body) {
    if (r_.stream == nullptr || r_.state == State::kOwn || r_.state == State::kNothing) {
        return true;
    }
    if (r_.state == State::kWhole) {
        WriteHead(true, body.size(), body.substr(0, kSniffBytes));
    } else if (r_.state == State::kHeld && !body.empty()) {
        WriteHeld(body.substr(0, kSniffBytes));
    }
    WriteBody(body);
    r_.stream->Flushed();
    bool goes_on = r_.more || r_.frame_left > 0;
    if (goes_on && r_.stream->queued() >= kHighWater) {
        r_.handler->OnAnswerPaused();
        return false;
    }
    return true;
}

void AnswerWriter::WriteHeld(Bytes body_start) {
    Answer& answer = r_.tools->answer;
    // It was decoded once already, so it decodes.
    r_.tools->decoder.DecodeCopy(r_.held_flags, held_.view(), r_.held_size, answer);
    // One frame that comes in pieces has a known length; more than one has none.
    bool whole = !r_.more && r_.frame_left == r_.held_size;
    WriteHead(whole, r_.held_size, body_start);
}

// With what informational answers left for the final head.
void AnswerWriter::EditHead(int status) {
    std::vector<AnswerField>& fields = r_.tools->answer.fields;
    if (!carried_.empty() && !r_.carried_edited) {
        std::vector<AnswerField> all;
        carried_.AppendTo(all);
        fields.insert(fields.begin(), all.begin(), all.end());
        r_.carried_edited = true;
    }
    r_.handler->OnAnswerHead(status, fields);
}

void AnswerWriter::WriteHead(bool whole, uint64_t body_size, Bytes body_start) {
    if (r_.tools->edited) {
        EditHead(static_cast<int>(r_.tools->answer.status));
    }
    ResponseFacts facts;
    facts.minor = r_.minor;
    facts.head_request = r_.head_request;
    facts.keep_alive = r_.wants_more && r_.handler->KeepsAlive();
    facts.whole = whole;
    facts.body_size = body_size;
    facts.body_start = body_start;
    facts.date = r_.tools->Date();
    const Answer& answer = r_.tools->answer;
    r_.plan = r_.tools->writer.WriteHead(answer, facts, Carried(), r_.stream->queue(), trailers_);
    r_.status = static_cast<int>(answer.status);
    r_.length_left = r_.plan.length;
    r_.state = State::kBody;
    r_.stream->Flushed();
    if (r_.plan.drops_body && !r_.head_request) {
        r_.handler->OnAnswerTrouble(
            "write response", "http: request method or response status code does not allow body");
    }
}

void AnswerWriter::WriteBody(Bytes body) {
    Buffer& out = r_.stream->queue();
    uint64_t left = r_.frame_left;
    r_.frame_left -= std::min<uint64_t>(left, body.size());
    switch (r_.plan.framing) {
        case Framing::kNone: return;
        case Framing::kLength:
            if (body.size() > r_.length_left) {
                r_.overflow = true;
                body = body.substr(0, r_.length_left);
            }
            r_.length_left -= body.size();
            out.Append(body);
            break;
        case Framing::kChunked:
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
            break;
        case Framing::kClose: out.Append(body); break;
    }
    r_.written += body.size();
}

void AnswerWriter::OnDone(const pool::JobResult& result) {
    AnswerEnd end = AnswerEnd::kAbort;
    if (r_.stream == nullptr) {
        r_.handler->OnAnswerEnd(end);
        return;
    }
    bool done = result.end == pool::JobEnd::kDone;
    switch (r_.state) {
        case State::kOwn:
            end = r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
            break;
        case State::kNothing:
            FailBeforeHead(result);
            end = r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
            break;
        case State::kWhole:
        case State::kHeld:
            // Frames without a body, and then the end.
            if (done && r_.state == State::kHeld && r_.held_size == 0) {
                r_.more = false;
                r_.frame_left = 0;
                WriteHeld({});
                end = FinishBody();
                break;
            }
            FailBeforeHead(result);
            end = r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
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
    r_.stream->Flushed();
    r_.handler->OnAnswerEnd(end);
}

AnswerEnd AnswerWriter::FinishBody() {
    if (r_.plan.framing == Framing::kChunked) {
        AppendLastChunk(trailers_.view(), r_.stream->queue());
    }
    if (r_.plan.framing == Framing::kLength && r_.length_left > 0) {
        r_.handler->OnAnswerTrouble("read stream", "worker sent less than its Content-Length");
        return AnswerEnd::kAbort;
    }
    if (r_.overflow) {
        r_.handler->OnAnswerTrouble("read stream", "worker sent more than its Content-Length");
    }
    return r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
}

void AnswerWriter::BadAnswer(Bytes reason) {
    r_.handler->OnAnswerTrouble("execute", reason);
    WriteOwn(r_.tools->config.ErrorStatus(502), r_.tools->config.pool.debug ? reason : Bytes(),
             false);
}

void AnswerWriter::FailBeforeHead(const pool::JobResult& result) {
    Failure failure = FailureOf(result.end);
    Bytes reason = result.message.empty() ? failure.text : result.message;
    r_.no_worker = result.end == pool::JobEnd::kNoWorker || result.end == pool::JobEnd::kQueueFull;
    r_.handler->OnAnswerTrouble("execute", reason);
    const HttpConfig& config = r_.tools->config;
    int status = failure.replaceable ? config.ErrorStatus(failure.status) : failure.status;
    if (result.end == pool::JobEnd::kBootFailed) {
        WriteBootPage(status, reason);
        return;
    }
    WriteOwn(status, config.pool.debug ? reason : Bytes(), false);
}

void AnswerWriter::WriteBootPage(int status, Bytes reason) {
    bool html = r_.handler->AcceptsHtml();
    std::vector<AnswerField>& fields = r_.tools->answer.fields;
    fields.clear();
    fields.push_back(
        {"Content-Type", html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"});
    fields.push_back({"Cache-Control", "no-store"});
    fields.push_back({"Retry-After", "1"});
    carried_.Clear();
    WriteEdited(status, html ? BootPage(reason) : std::string(reason) + "\n", false);
}

void AnswerWriter::WriteOwn(int status, Bytes text, bool close) {
    std::string line;
    if (!text.empty()) {
        line.assign(text).append("\n");
    }
    if (r_.tools->edited) {
        std::vector<AnswerField>& fields = r_.tools->answer.fields;
        fields.clear();
        if (!line.empty()) {
            fields.push_back({"Content-Type", "text/plain; charset=utf-8"});
            fields.push_back({"X-Content-Type-Options", "nosniff"});
        }
        if (status == 503) {
            fields.push_back({"Retry-After", "1"});
        }
        carried_.Clear();
        WriteEdited(status, line, close);
        return;
    }
    OwnAnswer own;
    own.status = status;
    own.text = line;
    own.nosniff = !line.empty();
    own.retry_after = status == 503;
    own.minor = r_.minor;
    own.head_request = r_.head_request;
    own.date = r_.tools->Date();
    r_.plan.keep_alive = !close && r_.wants_more && r_.handler->KeepsAlive();
    own.close = !r_.plan.keep_alive;
    AppendOwnAnswer(own, r_.stream->queue());
    r_.status = status;
    r_.written = r_.head_request ? 0 : line.size();
    r_.state = State::kOwn;
    r_.stream->Flushed();
}

// A short answer of ours, of the fields in tools->answer, with a head like a worker's.
void AnswerWriter::WriteEdited(int status, Bytes body, bool close) {
    Answer& answer = r_.tools->answer;
    answer.status = status;
    EditHead(status);
    char digits[20];
    char* end = std::to_chars(digits, digits + sizeof digits, body.size()).ptr;
    if (r_.head_request) {  // says what GET would have
        answer.fields.push_back(
            {"Content-Length", Bytes(digits, static_cast<size_t>(end - digits))});
    }
    ResponseFacts facts;
    facts.minor = r_.minor;
    facts.head_request = r_.head_request;
    facts.keep_alive = !close && r_.wants_more && r_.handler->KeepsAlive();
    facts.whole = true;
    facts.body_size = body.size();
    facts.body_start = body.substr(0, kSniffBytes);
    facts.date = r_.tools->Date();
    r_.plan = r_.tools->writer.WriteHead(answer, facts, nullptr, r_.stream->queue(), trailers_);
    r_.status = status;
    r_.frame_left = body.size();
    r_.length_left = r_.plan.length;
    WriteBody(body);
    if (r_.plan.framing == Framing::kChunked) {
        AppendLastChunk(trailers_.view(), r_.stream->queue());
    }
    r_.state = State::kOwn;
    r_.stream->Flushed();
}

}  // namespace rr::http
