#include "plugins/http/fcgi_connection.hpp"

#include <algorithm>
#include <utility>

#include "plugins/http/exchange.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

constexpr uint16_t kResponder = 1;
constexpr uint8_t kKeepConnection = 1;
constexpr size_t kBeginSize = 8;

}  // namespace

FcgiConnection::FcgiConnection(HttpServer& server, std::unique_ptr<net::Stream> stream)
    : server_(server), stream_(std::move(stream)), peer_(stream_->PeerName()), request_(*this) {
    stream_->SetHandler(this);
}

FcgiConnection::~FcgiConnection() {
    server_.loop().ForgetTurnEnd(*this);
    request_.Leave();
}

void FcgiConnection::Start() {
    server_.Touch(*this, Wait::kFirst);
    server_.Announce(*this);
    stream_->StartReading();
}

std::span<char> FcgiConnection::OnReadBuffer() { return net::ReadScratch(); }

void FcgiConnection::OnData(size_t size) {
    if (failed_) {
        return;
    }
    if (lingering_) {
        dropped_ += size;
        if (dropped_ > kLingerMost) {
            stream_->StopReading();
        }
        return;
    }
    Read({net::ReadScratch().data(), size});
    // Not earlier: the pool may use the loop's scratch, where the input was until now.
    if (request_.ready()) {
        request_.Run();
    }
    if (stream_->queued() > kQueueMost) {
        stream_->StopReading();
    }
}

void FcgiConnection::Read(Bytes in) {
    while (!lingering_ && !failed_) {
        FcgiReader::Step step = reader_.Next(in);
        in.remove_prefix(step.consumed);
        switch (step.event) {
            case FcgiReader::Event::kNeedMore: return;
            case FcgiReader::Event::kRecord: control_.clear(); break;
            case FcgiReader::Event::kContent: OnContent(step.content); break;
            case FcgiReader::Event::kEnd: OnRecordEnd(); break;
            case FcgiReader::Event::kBad: Fail("not a record of version 1"); return;
        }
    }
}

// Is the record at hand one of the request at hand?
bool FcgiConnection::IsRequests() const {
    return request_.active() && request_.id() == reader_.id();
}

void FcgiConnection::OnContent(Bytes content) {
    switch (reader_.type()) {
        case FcgiType::kParams:
            if (IsRequests()) {
                request_.OnParams(content);
            }
            return;
        case FcgiType::kStdin:
            if (!IsRequests()) {
                return;  // of a request that was answered
            }
            if (!request_.params_ended()) {
                Fail("a body before its parameters have ended");
                return;
            }
            request_.OnStdin(content);
            return;
        case FcgiType::kBegin:
        case FcgiType::kGetValues:
            control_.append(
                content.substr(0, kControlMost - std::min(control_.size(), kControlMost)));
            return;
        default: return;
    }
}

void FcgiConnection::OnRecordEnd() {
    bool empty = reader_.size() == 0;
    switch (reader_.type()) {
        case FcgiType::kBegin: OnBegin(); return;
        case FcgiType::kAbort:
            if (IsRequests()) {
                request_.Leave();
                EndRequest(AnswerEnd::kKeepAlive);
            }
            return;
        case FcgiType::kParams:
            if (IsRequests() && empty) {
                request_.OnParamsEnd();
            }
            return;
        case FcgiType::kStdin:
            if (!IsRequests() || !empty) {
                return;
            }
            if (!request_.params_ended()) {
                Fail("a body before its parameters have ended");
                return;
            }
            request_.OnStdinEnd();
            return;
        case FcgiType::kGetValues:
            if (reader_.id() == 0) {
                OnGetValues();
            }
            return;
        default: break;
    }
    if (reader_.id() == 0) {
        const char content[8] = {static_cast<char>(reader_.type())};
        AppendFcgiRecord(FcgiType::kUnknownType, 0, {content, sizeof content}, stream_->queue());
        stream_->Flushed();
    }
}

void FcgiConnection::OnBegin() {
    if (reader_.id() == 0 || control_.size() < kBeginSize) {
        Fail("a malformed BEGIN_REQUEST");
        return;
    }
    if (IsRequests()) {
        Fail("a request has begun twice");
        return;
    }
    if (request_.active()) {
        Reject(FcgiEnd::kCantMultiplex);
        return;
    }
    auto byte = [this](size_t at) { return static_cast<uint8_t>(control_[at]); };
    keep_ = (byte(2) & kKeepConnection) != 0;
    if ((byte(0) << 8 | byte(1)) != kResponder) {
        Reject(FcgiEnd::kUnknownRole);
        if (!keep_) {
            Linger();
        }
        return;
    }
    if (stream_->queue().capacity() == 0) {
        stream_->queue() = server_.TakeBuffer();
    }
    request_.Begin(reader_.id(), server_.TakeExchange());
    Await(Wait::kHead);
}

void FcgiConnection::Reject(FcgiEnd why) {
    AppendFcgiEnd(reader_.id(), why, stream_->queue());
    stream_->Flushed();
}

void FcgiConnection::OnGetValues() {
    static constexpr struct {
        Bytes name;
        Bytes value;
    } kValues[] = {{"FCGI_MAX_CONNS", "1024"}, {"FCGI_MAX_REQS", "1024"}, {"FCGI_MPXS_CONNS", "0"}};
    Buffer answer;
    Bytes asked = control_;
    FcgiPair pair;
    bool told[std::size(kValues)] = {};
    while (TakeFcgiPair(asked, pair)) {
        for (size_t i = 0; i < std::size(kValues); ++i) {
            if (pair.name == kValues[i].name && !std::exchange(told[i], true)) {
                AppendFcgiPair(kValues[i].name, kValues[i].value, answer);
            }
        }
    }
    AppendFcgiRecord(FcgiType::kGetValuesResult, 0, answer.view(), stream_->queue());
    stream_->Flushed();
}

void FcgiConnection::Await(Wait what) {
    if (!lingering_ && !failed_) {
        server_.Touch(*this, what);
    }
}

void FcgiConnection::DiskIsFull() {
    full_ = true;
    stream_->StopReading();
}

void FcgiConnection::DiskHasRoom() {
    full_ = false;
    ContinueReading();
}

void FcgiConnection::ResumeLater() { server_.loop().AtNextTurnEnd(*this); }

void FcgiConnection::ContinueReading() {
    if (!full_ && !eof_ && !failed_ && stream_->queued() <= kQueueMost) {
        stream_->StartReading();
    }
}

void FcgiConnection::SendStdout(uint16_t id, Bytes bytes) {
    AppendFcgiStdout(id, bytes, stream_->queue());
    stream_->Flushed();
}

// The request is over, and gone.
void FcgiConnection::EndRequest(AnswerEnd end) {
    full_ = false;
    if (end == AnswerEnd::kAbort) {
        // Without END_REQUEST the gateway sees that the answer was cut. A Unix socket knows no
        // reset, and nginx takes its end for that of the answer: a record of no version is
        // something to stumble over.
        failed_ = true;
        if (peer_ == "@") {
            stream_->queue().Append(Bytes("\0\0\0\0\0\0\0\0", 8));
        }
        stream_->Flush();
        stream_->Abort();
        server_.loop().AtTurnEnd(*this);
        return;
    }
    AppendFcgiRecord(FcgiType::kStdout, request_.id(), {}, stream_->queue());
    AppendFcgiEnd(request_.id(), FcgiEnd::kComplete, stream_->queue());
    stream_->Flushed();
    if (end == AnswerEnd::kClose || !keep_ || eof_ || server_.draining()) {
        Linger();
        return;
    }
    Await(Wait::kBusy);  // the tick makes it idle once the answer is out
    ContinueReading();
}

// What it sent can't be understood: nobody knows where its next request begins.
void FcgiConnection::Fail(Bytes reason) {
    server_.troubles().Report(server_.loop().NowMilliseconds(), "fastcgi", reason,
                              UnixNanoseconds(), 0);
    failed_ = true;
    request_.Leave();
    stream_->StopReading();
    server_.loop().AtTurnEnd(*this);
}

void FcgiConnection::Linger() {
    lingering_ = true;
    server_.Touch(*this, Wait::kLinger);
    stream_->ShutdownWhenSent();
    if (eof_) {
        server_.loop().AtNextTurnEnd(*this);  // the queue is flushed at the end of this one
        return;
    }
    // A close with unread bytes would reset the connection, and the answer with it.
    stream_->StartReading();
}

void FcgiConnection::OnClosed(net::CloseReason reason) {
    if (failed_) {
        return;  // OnTurnEnd removes it
    }
    if (reason == net::CloseReason::kReset) {
        server_.Remove(*this);
        return;
    }
    eof_ = true;
    // It may have closed its half only; of a request that no worker has begun that is not believed.
    bool answer_wanted = request_.active() && request_.complete() && !request_.LeavesQueue();
    if (answer_wanted) {
        return;
    }
    if (!request_.active() && stream_->queued() > 0) {
        if (!lingering_) {
            Linger();
        }
        return;
    }
    server_.Remove(*this);
}

void FcgiConnection::OnDrained() {
    if (lingering_ && eof_) {
        server_.Remove(*this);
        return;
    }
    ContinueReading();
    request_.ResumeIfRoom();
}

void FcgiConnection::OnTurnEnd() {
    if (failed_ || (lingering_ && eof_ && stream_->queued() == 0)) {
        server_.Remove(*this);
        return;
    }
    request_.ResumeIfRoom();
}

void FcgiConnection::OnTimeout() {
    if (wait == Wait::kBody && request_.active()) {
        keep_ = false;
        request_.TimeOut();
        return;
    }
    server_.Remove(*this);
}

void FcgiConnection::OnTick(int64_t now_ms, int64_t write_ms) {
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
    if (lingering_) {
        if (now_ms - since_ms >= kLingerMs) {
            server_.Remove(*this);
        }
        return;
    }
    if (!request_.active()) {
        GiveBackOutput();
        server_.Touch(*this, Wait::kIdle);
    }
    ContinueReading();
}

// An idle connection holds no memory that it does not need.
void FcgiConnection::GiveBackOutput() {
    if (stream_->queue().capacity() > 0) {
        server_.GiveBuffer(std::move(stream_->queue()));
    }
}

}  // namespace rr::http
