#include "plugins/http/connection.hpp"

#include "plugins/http/exchange.hpp"
#include "plugins/http/http2_connection.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

constexpr Bytes kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr Bytes kHttp2Start = kHttp2Preface.substr(0, 16);  // no request of HTTP/1.1 begins so

bool DecodeBase64Url(Bytes text, std::string& out) {
    uint32_t bits = 0;
    int have = 0;
    for (char c : text) {
        uint32_t value = c >= 'A' && c <= 'Z'   ? static_cast<uint32_t>(c - 'A')
                         : c >= 'a' && c <= 'z' ? static_cast<uint32_t>(c - 'a' + 26)
                         : c >= '0' && c <= '9' ? static_cast<uint32_t>(c - '0' + 52)
                         : c == '-'             ? 62
                         : c == '_'             ? 63
                                                : 64;
        if (value == 64) {
            return c == '=' && have < 6;  // padding is not needed, and not refused
        }
        bits = bits << 6 | value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out.push_back(static_cast<char>(bits >> have & 0xff));
        }
    }
    return true;
}

}  // namespace

Connection::Connection(HttpServer& server, std::unique_ptr<net::Stream> stream, std::string peer)
    : Carrier(WireForm::kHttp1, stream->queue()),
      server_(server),
      stream_(std::move(stream)),
      peer_(peer.empty() ? stream_->PeerName() : std::move(peer)),
      handshake_(stream_->secure()) {
    stream_->SetHandler(this);
}

Connection::~Connection() {
    server_.loop().ForgetTurnEnd(*this);
    if (exchange_ != nullptr) {
        exchange_->Abandon();
    }
}

void Connection::Start(Bytes received) {
    server_.Touch(*this, Wait::kFirst);
    server_.Announce(*this);
    stream_->StartReading();
    if (!received.empty()) {
        Keep(received);
        AdvanceInput();
        if (state_ == State::kHttp2) {
            SpeakHttp2(input_.view());
            return;
        }
        AfterInput();
    }
}

int64_t Connection::SendFile(const File& file, uint64_t offset, uint64_t size) {
    return stream_->SendFile(file.descriptor(), offset, size);
}

// Everything is read into the loop's scratch: most requests are complete there, and a connection
// keeps only what it can't use yet.
std::span<char> Connection::OnReadBuffer() {
    auto scratch = net::ReadScratch();
    return state_ == State::kBusy ? scratch.first(kReadAhead - input_.size()) : scratch;
}

void Connection::OnData(size_t size) {
    Bytes in(net::ReadScratch().data(), size);
    if (state_ == State::kLinger) {
        dropped_ += size;
        if (dropped_ > kLingerMost) {
            // Enough read for nothing: the client has kLingerMs to take its answer.
            stream_->StopReading();
        }
        return;
    }
    if (state_ == State::kBusy) {
        Keep(in);
        LimitReadAhead();
        return;
    }
    if (input_.empty()) {
        size_t used = Advance(in);
        if (state_ == State::kHttp2) {
            SpeakHttp2(in.substr(used));
            return;
        }
        Keep(in.substr(used));
    } else {
        input_.Append(in);
        AdvanceInput();
        if (state_ == State::kHttp2) {
            SpeakHttp2(input_.view());
            return;
        }
    }
    AfterInput();
}

// Beyond the limit a client that goes is noticed only when the answer is written.
void Connection::LimitReadAhead() {
    if (input_.size() >= kReadAhead) {
        stream_->StopReading();
    }
}

void Connection::AdvanceInput() {
    size_t used = Advance(input_.view());
    input_.Consume(used);
}

size_t Connection::Advance(Bytes in) {
    size_t used = 0;
    while (true) {
        switch (state_) {
            case State::kIdle:
                if (used == in.size()) {
                    return used;
                }
                BeginRequest();
                [[fallthrough]];
            case State::kHead: {
                size_t taken = AdvanceHead(in.substr(used));
                if (state_ == State::kHead) {
                    return used;
                }
                used += taken;
                break;
            }
            case State::kBody: {
                if (used == in.size()) {
                    return used;
                }
                used += AdvanceBody(in.substr(used));
                break;
            }
            case State::kReady:
            case State::kHttp2:
            case State::kBusy: return used;
            case State::kLinger:
            case State::kCut: return in.size();
        }
    }
}

void Connection::BeginRequest() {
    state_ = State::kHead;
    exchange_ = &server_.TakeExchange();
    exchange_->Begin(*this);
    if (stream_->queue().capacity() == 0) {
        stream_->queue() = server_.TakeBuffer();
    }
}

size_t Connection::AdvanceHead(Bytes in) {
    if (fresh_ && server_.config().http2.h2c && in.starts_with(kHttp2Start)) {
        if (in.size() < kHttp2Preface.size() && kHttp2Preface.starts_with(in)) {
            return 0;
        }
        state_ = State::kHttp2;
        return 0;
    }
    auto status = exchange_->Scan(in);
    if (status == HeadGuard::Status::kNeedMore) {
        if (wait != Wait::kHead) {
            server_.Touch(*this, Wait::kHead);
        }
        return 0;
    }
    HeadFault fault = exchange_->fault();
    size_t size = exchange_->head_size();
    if (status == HeadGuard::Status::kComplete) {
        fault = exchange_->TakeHead(in, stream_->secure());
    }
    if (fault != HeadFault::kNone) {
        FaultText text = Describe(fault);
        Refuse(text.status, text.reason);
        return 0;
    }
    if (fresh_ && WantsUpgrade()) {
        state_ = State::kHttp2;
        return size;
    }
    fresh_ = false;
    exchange_->HeadDone();
    StartRequest(size < in.size());
    return size;
}

void Connection::StartRequest(bool more_input) {
    const RequestHead& head = exchange_->head();
    if (head.expect_other) {
        Refuse(417, {});
        return;
    }
    state_ = State::kBody;
    RequestBody::Status status = exchange_->StartBody();
    if (status == RequestBody::Status::kMore) {
        if (head.expect_continue && !more_input) {
            stream_->Queue(kContinue);
        }
        server_.Touch(*this, Wait::kBody);
    }
    FollowBody(status);
}

// `Upgrade: h2c` with what it needs. With a body it is answered as HTTP/1.1, which is allowed.
bool Connection::WantsUpgrade() const {
    const RequestHead& head = exchange_->head();
    return server_.config().http2.h2c && !head.secure && head.upgrade && !head.has_body() &&
           HasListToken(head.Find(HeaderId::kUpgrade), "h2c") &&
           !head.Find(Bytes("HTTP2-Settings")).empty();
}

// Ends this object.
void Connection::SpeakHttp2(Bytes received) {
    HttpServer& server = server_;
    Buffer input = std::move(input_);  // where `received` may lie
    auto* next = new Http2Connection(server, std::move(stream_), std::move(peer_));
    bool fine = true;
    if (exchange_ != nullptr && !exchange_->head().method.empty()) {
        next->Queue(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
        std::string settings;
        fine = DecodeBase64Url(exchange_->head().Find(Bytes("HTTP2-Settings")), settings) &&
               next->Upgrade(settings, exchange_->head());
    }
    server.Replace(*this, *next);
    if (!fine) {
        server.Remove(*next);
        return;
    }
    next->Start(received);
}

void Connection::OnSecured() {
    handshake_ = false;
    server_.Touch(*this, Wait::kFirst);
    if (stream_->tls_protocol() == "h2") {
        SpeakHttp2({});
    }
}

size_t Connection::AdvanceBody(Bytes in) {
    size_t used = 0;
    RequestBody::Status status = exchange_->Feed(in, used);
    if (status == RequestBody::Status::kMore) {
        server_.Touch(*this, Wait::kBody);
    }
    FollowBody(status);
    return used;
}

void Connection::FollowBody(RequestBody::Status status) {
    switch (status) {
        case RequestBody::Status::kMore: break;
        case RequestBody::Status::kFull: stream_->StopReading(); break;
        case RequestBody::Status::kDisk:
            // Nothing is wanted from the client: what it sends now is its next request.
            server_.Touch(*this, Wait::kBusy);
            state_ = State::kBusy;
            break;
        case RequestBody::Status::kComplete: state_ = State::kReady; break;
        case RequestBody::Status::kBad:
            exchange_->RefuseBody();
            if (exchange_ != nullptr && state_ == State::kBody) {
                // A file is on its way.
                state_ = State::kBusy;
                server_.Touch(*this, Wait::kBusy);
            }
            break;
    }
}

void Connection::OnBodyProgress() {
    RequestBody::Status status = exchange_->body_status();
    if (status == RequestBody::Status::kMore) {
        server_.Touch(*this, Wait::kBody);
        if (eof_) {
            server_.Remove(*this);
            return;
        }
        stream_->StartReading();
        return;
    }
    FollowBody(status);
    AfterInput();
    if (state_ == State::kIdle) {
        Continue();
    }
}

// Runs a complete request. Not earlier: the pool may use the loop's scratch, where the rest of the
// input was until now.
void Connection::AfterInput() {
    if (state_ == State::kBusy) {  // only the disk is waited for
        LimitReadAhead();
    }
    if (state_ == State::kReady) {
        state_ = State::kBusy;
        LimitReadAhead();
        const RequestHead& head = exchange_->head();
        if (wait != Wait::kBusy) {
            server_.Touch(*this, Wait::kBusy);
        }
        if (head.form == TargetForm::kAsterisk) {
            exchange_->AnswerServerOptions();
        } else {
            exchange_->Run();
        }
    }
    GiveBackInput();
}

void Connection::OnAnswerPaused() {
    paused_ = true;
    server_.loop().AtNextTurnEnd(*this);
}

void Connection::OnAnswered(AnswerEnd end) {
    exchange_ = nullptr;
    paused_ = false;
    if (end == AnswerEnd::kAbort) {
        // What there is goes out first: the client sees where the answer was cut.
        state_ = State::kCut;
        stream_->Flush();
        stream_->Abort();
        server_.loop().AtTurnEnd(*this);  // an answer of rr's own ends inside Advance
        return;
    }
    if (end == AnswerEnd::kClose) {
        if (state_ == State::kBusy) {  // else Advance still looks at it, and drops it itself
            input_.Clear();
            GiveBackInput();
        }
        Linger();
        return;
    }
    state_ = State::kIdle;
    since_ms = server_.loop().NowMilliseconds();
    if (wait != Wait::kBusy) {
        server_.Touch(*this, Wait::kBusy);
    }
    server_.loop().AtTurnEnd(*this);
}

bool Connection::KeepsAlive() const { return !server_.draining() && !(eof_ && input_.empty()); }

void Connection::Refuse(int status, Bytes detail) { exchange_->RefuseHead(status, detail); }

void Connection::Linger() {
    state_ = State::kLinger;
    server_.Touch(*this, Wait::kLinger);
    stream_->ShutdownWhenSent();
    // Not flushed here: a write that fails ends this object.
    if (eof_) {
        server_.loop().AtNextTurnEnd(*this);  // the queue goes out at the end of this one
        return;
    }
    // A close with unread bytes would reset the connection, and the answer with it.
    stream_->StartReading();
}

void Connection::OnClosed(net::CloseReason reason) {
    if (state_ == State::kCut) {
        return;  // OnTurnEnd removes it
    }
    if (reason == net::CloseReason::kReset) {
        if (handshake_) {
            server_.OnHandshakeFailed(peer_, stream_->tls_fault());
        }
        server_.Remove(*this);
        return;
    }
    eof_ = true;
    if (state_ == State::kBusy) {
        // A client that would have kept the connection and closes it instead has gone; any other
        // may have closed its half only, and so has one that sent more requests ahead.
        if (input_.empty() && exchange_->LeavesQueue()) {
            server_.Remove(*this);
        }
        return;
    }
    if (state_ == State::kIdle && !input_.empty()) {
        return;  // Continue() runs what was sent ahead
    }
    if (stream_->queued() > 0) {
        // Half-closed behind its request: the answer is still on its way.
        if (exchange_ != nullptr) {
            exchange_->Abandon();
            exchange_ = nullptr;
        }
        Linger();
        return;
    }
    server_.Remove(*this);
}

void Connection::OnDrained() {
    if (state_ == State::kLinger && eof_) {
        server_.Remove(*this);
        return;
    }
    ResumeIfRoom();
}

void Connection::OnTurnEnd() {
    if (state_ == State::kCut) {
        server_.Remove(*this);
        return;
    }
    if (paused_) {
        ResumeIfRoom();
        return;
    }
    if (state_ == State::kLinger) {
        if (eof_ && stream_->queued() == 0) {
            server_.Remove(*this);
        }
        return;
    }
    if (state_ == State::kIdle) {
        Continue();
    }
}

// Between two requests: goes on with what came meanwhile.
void Connection::Continue() {
    GiveBackOutput();
    if (!eof_) {
        stream_->StartReading();
    }
    if (!input_.empty()) {
        AdvanceInput();
        AfterInput();
    }
    if (eof_ && state_ != State::kBusy && state_ != State::kLinger) {
        Linger();
    }
}

void Connection::ResumeIfRoom() {
    if (paused_ && stream_->queued() < AnswerWriter::kHighWater / 2) {
        paused_ = false;
        exchange_->Resume();
    }
}

void Connection::OnTimeout() {
    if (state_ == State::kHead || state_ == State::kBody) {
        Refuse(408, {});
        input_.Clear();
        GiveBackInput();
        return;
    }
    if (handshake_) {
        server_.OnHandshakeFailed(peer_, "the TLS handshake took too long");
    }
    server_.Remove(*this);
}

void Connection::OnTick(int64_t now_ms, int64_t write_ms) {
    const bool waiting = stream_->queued() > 0;
    if (write_watch_.Stuck(*stream_, waiting, 0, now_ms, write_ms)) {
        stream_->Abort();
        server_.Remove(*this);
        return;
    }
    if (waiting) {
        since_ms = now_ms;
        return;
    }
    if (state_ == State::kLinger && now_ms - since_ms >= kLingerMs) {
        server_.Remove(*this);
        return;
    }
    if (state_ == State::kIdle) {
        GiveBackOutput();
        server_.Touch(*this, Wait::kIdle);
    }
}

void Connection::Keep(Bytes in) {
    if (in.empty()) {
        return;
    }
    if (input_.capacity() == 0) {
        input_ = server_.TakeBuffer();
    }
    input_.Append(in);
}

// An idle connection holds no memory that it does not need; the next one to answer finds the buffer
// still in the cache.
void Connection::GiveBackOutput() {
    if (stream_->queued() == 0 && stream_->queue().capacity() > 0) {
        server_.GiveBuffer(std::move(stream_->queue()));
    }
}

void Connection::GiveBackInput() {
    if (input_.empty() && input_.capacity() > 0) {
        server_.GiveBuffer(std::move(input_));
        input_ = Buffer();
    }
}

}  // namespace rr::http
