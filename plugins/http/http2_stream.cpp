#include "plugins/http/http2_stream.hpp"

#include "core/api/http_text.hpp"
#include "plugins/http/answer_writer.hpp"
#include "plugins/http/exchange.hpp"
#include "plugins/http/http2_connection.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

constexpr size_t kKeep = 64 * 1024;
constexpr size_t kFieldOverhead = 32;  // RFC 9113, 6.5.2

// What HTTP/1.1 could not have in its request line: blanks, control bytes.
bool IsTargetText(Bytes text) {
    for (char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
            return false;
        }
    }
    return !text.empty();
}

}  // namespace

Http2Stream::Http2Stream(Http2Connection& connection)
    : Carrier(WireForm::kHttp2, static_cast<Buffer&>(*this)), connection_(connection) {}

Http2Stream::~Http2Stream() { Leave(); }

void Http2Stream::Begin(int32_t stream_id, Exchange& exchange) {
    r_ = Request();
    r_.id = stream_id;
    r_.exchange = &exchange;
    fields_.clear();
    Clear(kKeep);
    deferred = false;
    exchange.Begin(*this);
}

void Http2Stream::Leave() {
    if (Exchange* exchange = std::exchange(r_.exchange, nullptr)) {
        exchange->Abandon();
    }
}

Http2Stream::Span Http2Stream::Keep(Bytes bytes) {
    Buffer& kept = r_.exchange->head_bytes();
    Span span{static_cast<uint32_t>(kept.size()), static_cast<uint32_t>(bytes.size())};
    kept.Append(bytes);
    return span;
}

void Http2Stream::Field(Bytes name, Bytes value) {
    const HeadLimits& limits = connection_.server().config().limits;
    r_.head_size += name.size() + value.size() + kFieldOverhead;
    if (r_.fault == 0 && (r_.head_size > limits.head || fields_.size() >= limits.headers)) {
        r_.fault = 431;
    }
    if (name == ":path" && value.size() > limits.target) {
        r_.fault = 414;
    }
    if (r_.fault != 0) {
        return;  // the rest is read for the compression's sake only
    }
    if (name.empty() || name[0] != ':') {
        fields_.push_back({Keep(name), Keep(value)});
    } else if (name == ":method") {
        r_.method = Keep(value);
    } else if (name == ":path") {
        r_.path = Keep(value);
        r_.connect_path = true;
    } else if (name == ":authority") {
        r_.authority = Keep(value);
    }
}

// The status for a head that is refused; 0: it is fine.
int Http2Stream::BuildHead(bool ends) {
    RequestHead& head = r_.exchange->new_head();
    Buffer& kept = r_.exchange->head_bytes();
    // Several cookie fields are one to everybody else.
    Span cookie;
    size_t cookies = 0;
    for (const FieldSpan& field : fields_) {
        cookies += kept.view().substr(field.name.at, field.name.size) == "cookie" ? 1 : 0;
    }
    if (cookies > 1) {
        std::string joined;
        for (const FieldSpan& field : fields_) {
            if (kept.view().substr(field.name.at, field.name.size) == "cookie") {
                joined.append(joined.empty() ? "" : "; ");
                joined.append(kept.view().substr(field.value.at, field.value.size));
            }
        }
        cookie = Keep(joined);
    }
    // From here on nothing is added: views stay.
    const char* base = kept.data();
    auto view = [base](Span span) { return Bytes(base + span.at, span.size); };
    head.Reset();
    head.protocol = "HTTP/2.0";
    head.secure = connection_.secure();
    head.keep_alive = true;
    head.framed = !ends;
    head.method = view(r_.method);
    head.verb = IdentifyMethod(head.method);
    head.host = view(r_.authority);
    head.target = r_.connect_path ? view(r_.path) : head.host;
    bool cookie_added = false;
    for (const FieldSpan& field : fields_) {
        Bytes name = view(field.name);
        if (cookies > 1 && name == "cookie") {
            if (!cookie_added) {
                head.Add(name, view(cookie));
                cookie_added = true;
            }
            continue;
        }
        head.Add(name, view(field.value));
        const HeaderField& added = head.fields.back();
        if (added.id == HeaderId::kContentLength) {
            head.has_content_length = http_text::ParseLength(added.value, head.content_length);
            if (!head.has_content_length) {
                return 400;
            }
        } else if (added.id == HeaderId::kHost && head.host.empty()) {
            head.host = added.value;
        } else if (added.id == HeaderId::kExpect && !ends && !added.value.empty()) {
            bool known = HasListToken(added.value, "100-continue");
            head.expect_continue = head.expect_continue || known;
            head.expect_other = head.expect_other || !known;
        }
    }
    if (!IsToken(head.method) || !IsTargetText(head.target) || !IsHostText(head.host) ||
        !IdentifyTarget(head.target, head.verb, head.form)) {
        return 400;
    }
    return head.expect_other ? 417 : 0;
}

void Http2Stream::OnHead(bool ends) {
    r_.request_ended = ends;
    int status = r_.fault;
    if (status == 0) {
        status = BuildHead(ends);
    }
    if (status != 0) {
        // The head is not whole, or not to be shown to anybody: what is known of it is recorded.
        RequestHead& head = r_.exchange->new_head();
        Bytes method = Bytes(r_.exchange->head_bytes().data() + r_.method.at, r_.method.size);
        head.Reset();
        head.protocol = "HTTP/2.0";
        head.keep_alive = true;
        head.method = method;
        head.verb = IdentifyMethod(method);
        head.target = Bytes(r_.exchange->head_bytes().data() + r_.path.at, r_.path.size);
        r_.exchange->HeadDone();
        r_.exchange->Refuse(status, {});
        return;
    }
    r_.exchange->HeadDone();
    RequestBody::Status body = r_.exchange->StartBody();
    if (body == RequestBody::Status::kMore) {
        if (r_.exchange->head().expect_continue) {
            connection_.SubmitHead(*this, 100, {}, true);
        }
        Wait();
    }
    FollowBody(body);
}

void Http2Stream::Wait() { r_.body_since_ms = connection_.server().loop().NowMilliseconds(); }

void Http2Stream::OnBody(Bytes data) {
    if (r_.exchange == nullptr || r_.ready) {
        connection_.Consume(r_.id, data.size());
        return;
    }
    size_t used = 0;
    RequestBody::Status status = r_.exchange->Feed(data, used);
    if (status == RequestBody::Status::kFull) {
        r_.unconsumed += data.size();
    } else {
        connection_.Consume(r_.id, data.size());
    }
    if (status == RequestBody::Status::kMore) {
        Wait();
        return;
    }
    FollowBody(status);
}

void Http2Stream::OnBodyEnd() {
    r_.request_ended = true;
    if (r_.exchange != nullptr && r_.body_since_ms != 0) {
        FollowBody(r_.exchange->Finish());
    }
}

void Http2Stream::FollowBody(RequestBody::Status status) {
    switch (status) {
        case RequestBody::Status::kMore:
        case RequestBody::Status::kFull: return;
        case RequestBody::Status::kDisk: break;
        case RequestBody::Status::kComplete:
            r_.ready = true;
            connection_.RunLater(*this);
            break;
        case RequestBody::Status::kBad:
            r_.body_since_ms = 0;
            r_.exchange->RefuseBody();
            return;
    }
    r_.body_since_ms = 0;
}

void Http2Stream::OnBodyProgress() {
    connection_.Consume(r_.id, TakeUnconsumed());
    RequestBody::Status status = r_.exchange->body_status();
    if (status == RequestBody::Status::kMore) {
        Wait();
        if (r_.request_ended) {
            status = r_.exchange->Finish();
        }
    }
    FollowBody(status);
}

void Http2Stream::TimeOut() {
    r_.body_since_ms = 0;
    r_.exchange->Refuse(408, {});
}

void Http2Stream::Run() {
    r_.ready = false;
    if (r_.exchange == nullptr) {
        return;
    }
    if (r_.exchange->head().form == TargetForm::kAsterisk) {
        r_.exchange->AnswerServerOptions();
    } else {
        r_.exchange->Run();
    }
}

bool Http2Stream::has_room() const { return size() < AnswerWriter::kHighWater / 2; }

void Http2Stream::ResumeIfRoom() {
    if (r_.paused && r_.exchange != nullptr && has_room()) {
        r_.paused = false;
        r_.exchange->Resume();
    }
}

void Http2Stream::Flushed() {
    if (!empty() || r_.ended) {
        connection_.HasOutput(*this);
    }
}

void Http2Stream::Head(int status, std::span<const AnswerField> fields, bool body) {
    if (status >= 200) {
        r_.answered = true;
        r_.ended = !body;
    }
    connection_.SubmitHead(*this, status, fields, body);
}

void Http2Stream::End(Bytes lines) {
    if (!r_.ended) {
        r_.trailers = lines;
        r_.ended = true;
        connection_.HasOutput(*this);
    }
}

const std::string& Http2Stream::peer() const { return connection_.peer(); }

void Http2Stream::OnAnswerPaused() {
    r_.paused = true;
    connection_.ResumeLater(*this);
}

void Http2Stream::OnAnswered(AnswerEnd end) {
    r_.exchange = nullptr;
    r_.paused = false;
    r_.body_since_ms = 0;
    connection_.Consume(r_.id, TakeUnconsumed());
    if (end == AnswerEnd::kAbort || !r_.ended) {
        connection_.Reset(*this);
    }
}

}  // namespace rr::http
