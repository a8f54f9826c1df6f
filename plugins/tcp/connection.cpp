#include "plugins/tcp/connection.hpp"

#include <algorithm>
#include <utility>

#include "core/net/proxy_header.hpp"
#include "core/pool/pool.hpp"
#include "plugins/tcp/endpoint.hpp"
#include "plugins/tcp/event_error.hpp"
#include "plugins/tcp/server.hpp"

namespace rr::tcp {

Connection::Connection(Endpoint& endpoint, net::Stream::Kind kind, int descriptor)
    : endpoint_(endpoint),
      uuid_(Uuid::Random()),
      connected_unix_ns_(UnixNanoseconds()),
      inbox_(endpoint.server(), endpoint.config().framing) {
    const ServerConfig& config = endpoint_.config();
    net::StreamHandler* handler = this;
    stream_.emplace(endpoint_.server().loop(), kind, descriptor, handler,
                    config.proxy_protocol ? nullptr : endpoint_.tls());
    peer_ = stream_->PeerName();
}

Connection::~Connection() { endpoint_.server().loop().ForgetTurnEnd(*this); }

void Connection::Start() {
    const ServerConfig& config = endpoint_.config();
    if (config.proxy_protocol || config.tls) {
        Enter(State::kHandshake, Wait::kHandshake);
        stream_->StartReading();
        return;
    }
    SendConnected();
}

Bytes Connection::remote_addr() const {
    return endpoint_.config().remote_host ? WithoutPort(peer_) : Bytes(peer_);
}

void Connection::Enter(State state, Wait wait_for) {
    state_ = state;
    endpoint_.Touch(*this, wait_for);
}

// ---- the client's bytes

std::span<char> Connection::OnReadBuffer() {
    bool kept = state_ != State::kHandshake && state_ != State::kClosing;
    return kept ? inbox_.Room() : net::ReadScratch();
}

void Connection::OnData(size_t size) {
    switch (state_) {
        case State::kHandshake: ReadHandshake(size); return;
        case State::kReading: break;
        case State::kAccepted:
        case State::kExecuting:
        case State::kWriting:
            // Reading stops here and not with each event, which would cost two system calls: most
            // clients wait for their answer. What follows stays with the kernel.
            stream_->StopReading();
            inbox_.Add(origin(), size);
            CountIn(size);
            return;
        case State::kClosing:
            dropped_ += size;
            if (dropped_ > kLingerMost) {
                Drop(false);
            }
            return;
    }
    Keep(size);
    endpoint_.Touch(*this, Wait::kClient);
    if (!TakeMessage() && state_ == State::kReading) {
        inbox_.Compact();
    }
}

// All that is there counts as one read, up to read_buf_size: whether the delimiter stands at the end
// is judged after it.
void Connection::Keep(size_t size) {
    inbox_.Add(origin(), size);
    CountIn(inbox_.ReadOn(*stream_, size, endpoint_.server().config().read_buf_size));
}

void Connection::CountIn(size_t size) {
    bytes_in_ += size;
    endpoint_.stats().bytes_in.Add(size);
}

Origin Connection::origin() const { return {remote_addr(), endpoint_.config().name, uuid_}; }

// Makes an event of the next message. False: there is none, or the connection ends here.
bool Connection::TakeMessage() {
    if (inbox_.empty()) {
        return false;
    }
    const ServerConfig& config = endpoint_.config();
    Message message = inbox_.Next(config.max_message_size);
    switch (message.status) {
        case Message::Status::kWhole: break;
        case Message::Status::kTooLarge:
            Reject("the message exceeds max_message_size");
            return false;
        case Message::Status::kBroken:
            Reject("the length of a message is less than its own size");
            return false;
        case Message::Status::kNone:
            if (!eof_) {
                return false;
            }
            if (!config.framing.delivers_tail()) {
                Reject("the client left in the middle of a message");
                return false;
            }
            message.size = inbox_.size();
    }
    Dispatch(EventKind::kData, inbox_.Take(origin(), message.size, event_));
    return true;
}

void Connection::Reject(std::string_view why) {
    endpoint_.stats().failed.Add();
    endpoint_.troubles().rejected.Report(
        Clock::now(),
        {{"server", endpoint_.config().name}, {"remote_addr", peer_}, {"reason", why}});
    Close();
}

void Connection::OnClosed(net::CloseReason reason) {
    if (reason == net::CloseReason::kReset) {
        if (state_ == State::kHandshake) {
            endpoint_.OnHandshakeFailed(peer_, stream_->tls_fault());
        }
        Drop(false);
        return;
    }
    eof_ = true;
    if (state_ == State::kReading) {
        Proceed();
    } else if (state_ == State::kClosing) {
        FinishLinger();
    } else if (state_ == State::kHandshake) {
        Drop(false);
    }
}

// ---- before CONNECTED

void Connection::ReadHandshake(size_t size) {
    // With TLS and no PROXY header bytes come after OnSecured only, and that stops the reading.
    header_.Append(Bytes(net::ReadScratch().data(), size));
    net::ProxyHeader header = net::ReadProxyHeader(header_.view());
    if (header.status == net::ProxyHeader::Status::kNeedMore) {
        return;
    }
    if (header.status == net::ProxyHeader::Status::kInvalid) {
        endpoint_.OnHandshakeFailed(peer_, header.fault);
        Drop(false);
        return;
    }
    if (!header.peer.empty()) {
        peer_ = std::move(header.peer);
    }
    Buffer received = std::exchange(header_, Buffer());
    received.Consume(header.size);
    if (endpoint_.tls()) {
        stream_->Secure(endpoint_.tls(), received.view());
        return;
    }
    stream_->StopReading();
    inbox_.Add(origin(), received.view());
    CountIn(received.size());
    SendConnected();
}

void Connection::OnSecured() {
    stream_->StopReading();
    SendConnected();
}

void Connection::SendConnected() {
    event_ = endpoint_.server().TakeBuffer();
    size_t context = BeginEvent(origin(), EventKind::kConnected, event_);
    connected_unix_ns_ = UnixNanoseconds();
    endpoint_.OnConnected(*this);
    Dispatch(EventKind::kConnected, context);
}

// ---- events and replies

void Connection::Dispatch(EventKind kind, size_t context_size) {
    if (kind == EventKind::kClose) {
        close_sent_ = true;
    } else {
        Enter(kind == EventKind::kData ? State::kExecuting : State::kAccepted, Wait::kWorker);
    }
    kind_ = kind;
    in_flight_ = true;
    in_stream_ = takes_body_ = false;
    endpoint_.stats().events.Add();
    pool::Job job;
    job.context = event_.data() + pool::kHeadroom;
    job.context_size = static_cast<uint32_t>(context_size);
    job.body_size = static_cast<uint32_t>(event_.size() - pool::kHeadroom - context_size);
    job.event = true;
    job.patient = kind == EventKind::kClose;
    job.affinity = endpoint_.config().affinity ? std::max<size_t>(uuid_.Hash(), 1) : 0;
    ticket_ = endpoint_.server().pool().Exec(job, *this);
}

void Connection::OnHead(const pool::AnswerHead& head) {
    delivered_ = true;
    Verb verb = ReadVerb(head.context);
    if (in_stream_ && head.context.empty()) {
        verb = {stream_writes_, false};
    }
    in_stream_ = head.more;
    stream_writes_ = verb.write;
    bool counts = kind_ != EventKind::kClose && state_ != State::kClosing && !close_wanted_;
    takes_body_ = counts && verb.write;
    close_wanted_ = close_wanted_ || (counts && verb.close);
}

bool Connection::OnChunk(Bytes body) {
    if (!takes_body_ || !stream_) {
        return true;
    }
    stream_->Queue(body);
    bytes_out_ += body.size();
    endpoint_.stats().bytes_out.Add(body.size());
    uint64_t most = endpoint_.config().max_write_queue;
    if (most == 0 || stream_->queued() <= most) {
        return true;
    }
    paused_ = true;
    untaken_ = 0;
    progress_ms_ = endpoint_.server().loop().NowMilliseconds();
    endpoint_.server().loop().AtTurnEnd(*this);
    return false;
}

void Connection::OnDone(const pool::JobResult& result) {
    in_flight_ = paused_ = in_stream_ = takes_body_ = false;
    ticket_ = {};
    endpoint_.server().GiveBuffer(std::move(event_));
    event_ = Buffer();
    delivered_ = delivered_ || ReachedWorker(result.end);
    bool failed = result.end != pool::JobEnd::kDone && result.end != pool::JobEnd::kCancelled;
    if (failed) {
        endpoint_.OnEventFailed(*this, kind_, result);
    }
    if (kind_ == EventKind::kClose) {
        RemoveIfOver();
        return;
    }
    if (state_ == State::kClosing) {
        SendClose();
        return;
    }
    if (failed || close_wanted_) {
        Close();
        return;
    }
    Proceed();
}

// The worker is done: the client's turn, unless more of it is here already.
void Connection::Proceed() {
    if (stream_->queued() > kWriteLow) {
        Enter(State::kWriting, Wait::kWrite);
        untaken_ = 0;
        endpoint_.server().loop().AtTurnEnd(*this);
        return;
    }
    if (!inbox_.empty() && endpoint_.config().framing.by_reads() && !stream_->reading() && !eof_) {
        // What came while the event ran is one read with the first of it.
        CountIn(inbox_.ReadOn(*stream_, 0, endpoint_.server().config().read_buf_size));
    }
    if (TakeMessage() || state_ == State::kClosing) {
        return;
    }
    if (eof_) {
        Close();
        return;
    }
    Read();
}

void Connection::Read() {
    inbox_.Compact();
    Enter(State::kReading, Wait::kClient);
    if (endpoint_.server().draining()) {
        OnDraining();
        return;
    }
    stream_->StartReading();
}

// A message that was on its way when the stop was asked for is still answered.
void Connection::OnDraining() {
    if (state_ == State::kHandshake) {
        Drop(false);
        return;
    }
    if (state_ != State::kReading) {
        return;  // it comes back here
    }
    stream_->StopReading();
    std::span<char> memory = inbox_.Room();
    int64_t got = stream_->TryRead(memory.data(), memory.size());
    if (got > 0) {
        Keep(static_cast<size_t>(got));
    }
    eof_ = eof_ || got < 0;
    if (!TakeMessage() && state_ != State::kClosing) {
        Close();
    }
}

std::string Connection::Summary() const {
    std::string text(NameOf(kind_));
    text.append(" ").append(endpoint_.config().name).append(" ").append(peer_);
    return text;
}

// ---- the client reads

void Connection::OnDrained() { OnWritable(); }

// What was queued in this turn has been flushed by now, as far as the kernel took it.
void Connection::OnTurnEnd() { OnWritable(); }

void Connection::OnWritable() {
    if (!stream_) {
        return;
    }
    if (lingers_ && eof_ && stream_->queued() == 0) {
        FinishLinger();
        return;
    }
    if (stream_->queued() > kWriteLow) {
        return;
    }
    if (paused_) {
        paused_ = false;
        endpoint_.server().pool().Resume(ticket_);
    }
    if (state_ == State::kWriting) {
        Proceed();
    }
}

bool Connection::Push(Bytes bytes) {
    uint64_t most = endpoint_.config().max_write_queue;
    if (most > 0 && stream_->queued() + bytes.size() > most) {
        endpoint_.stats().dropped.Add();
        return false;
    }
    stream_->Queue(bytes);
    bytes_out_ += bytes.size();
    endpoint_.stats().bytes_out.Add(bytes.size());
    return true;
}

void Connection::OnTimeout() {
    const std::string& server = endpoint_.config().name;
    if (state_ == State::kHandshake) {
        endpoint_.OnHandshakeFailed(peer_, "the handshake took too long");
        Drop(false);
        return;
    }
    endpoint_.log().Info("connection closed: idle_timeout",
                         {{"server", server}, {"remote_addr", peer_}});
    Close();
}

// Whether a client that has something to read reads.
void Connection::OnTick(int64_t now_ms) {
    if (!stream_) {
        return;
    }
    size_t untaken = stream_->queued() > 0 ? stream_->Untaken() : 0;
    if (untaken != untaken_ || untaken == 0) {
        untaken_ = untaken;
        progress_ms_ = now_ms;
    }
    int64_t stuck_ms = now_ms - progress_ms_;
    bool draining = endpoint_.server().draining();
    if (lingers_) {
        int64_t limit = draining ? kLingerDrainingMs : untaken > 0 ? kStuckMs : kLingerMs;
        if (stuck_ms >= limit || (untaken == 0 && now_ms - since_ms >= limit)) {
            FinishLinger();
        }
        return;
    }
    int64_t limit = endpoint_.config().write_timeout / std::chrono::milliseconds(1);
    if ((paused_ || draining) && (limit == 0 || limit > kStuckMs)) {
        limit = draining ? kStuckDrainingMs : kStuckMs;  // it holds a worker, or all of us
    }
    if (limit > 0 && stuck_ms >= limit) {
        endpoint_.log().Warn("connection closed: the client does not read",
                             {{"server", endpoint_.config().name},
                              {"remote_addr", peer_},
                              {"unread_bytes", untaken}});
        Drop(true);
    }
}

// The stop has little time left: workers shall hear of the end of this one while they live.
void Connection::Hurry() {
    if (lingers_) {
        FinishLinger();
    } else if (state_ != State::kClosing) {
        Drop(true);
    }
}

// ---- the end

// The polite way: what is queued goes out, the client sees our end and has a moment to close.
void Connection::Close() {
    if (state_ == State::kClosing) {
        return;
    }
    endpoint_.OnClosing(*this);
    inbox_.Clear();
    Enter(State::kClosing, Wait::kLinger);
    LetWorkerGo();
    lingers_ = true;
    untaken_ = 0;
    progress_ms_ = since_ms;
    stream_->ShutdownWhenSent();
    if (eof_) {
        endpoint_.server().loop().AtTurnEnd(*this);
    } else {
        stream_->StartReading();  // dropped; noticed is its end
    }
    SendClose();
}

// The socket goes at once.
void Connection::Drop(bool abort) {
    if (abort && stream_) {
        stream_->Abort();
    }
    bool known = state_ != State::kHandshake;
    if (state_ != State::kClosing) {
        endpoint_.OnClosing(*this);
        inbox_.Clear();
        Enter(State::kClosing, Wait::kLinger);
    }
    LetWorkerGo();
    lingers_ = false;
    stream_.reset();
    if (known) {
        SendClose();
    } else {
        RemoveIfOver();
    }
}

void Connection::Cut() {
    delivered_ = false;
    Drop(false);
}

void Connection::FinishLinger() {
    lingers_ = false;
    stream_.reset();
    RemoveIfOver();
}

// Nobody reads its answer any more: a stream is stopped, a paused one goes on into nothing.
void Connection::LetWorkerGo() {
    takes_body_ = false;
    if (!in_flight_) {
        return;
    }
    if (in_stream_ && kind_ != EventKind::kClose) {
        paused_ = false;
        endpoint_.server().pool().Cancel(ticket_);
    } else if (std::exchange(paused_, false)) {
        endpoint_.server().pool().Resume(ticket_);
    }
}

// Exactly one CLOSE for each connection that a worker knows of, when its last event is over.
void Connection::SendClose() {
    if (in_flight_ || close_sent_) {
        return;
    }
    if (!delivered_) {
        RemoveIfOver();
        return;
    }
    event_ = endpoint_.server().TakeBuffer();
    size_t context = BeginEvent(origin(), EventKind::kClose, event_);
    Dispatch(EventKind::kClose, context);
}

void Connection::RemoveIfOver() {
    if (!in_flight_ && !stream_ && (close_sent_ || !delivered_)) {
        endpoint_.Remove(*this);
    }
}

}  // namespace rr::tcp
