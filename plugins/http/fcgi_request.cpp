#include "plugins/http/fcgi_request.hpp"

#include <utility>

#include "plugins/http/answer_writer.hpp"
#include "plugins/http/exchange.hpp"
#include "plugins/http/fcgi_connection.hpp"
#include "plugins/http/fcgi_params.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

FcgiRequest::FcgiRequest(FcgiConnection& connection)
    : Carrier(WireForm::kFastCgi, static_cast<Buffer&>(*this)), connection_(connection) {}

void FcgiRequest::Begin(uint16_t id, Exchange& exchange) {
    r_ = Request();
    r_.state = State::kParams;
    r_.id = id;
    r_.exchange = &exchange;
    peer_ = connection_.peer();
    answer() = connection_.server().TakeBuffer();
    exchange.Begin(*this);
}

void FcgiRequest::Leave() {
    if (Exchange* exchange = std::exchange(r_.exchange, nullptr)) {
        exchange->Abandon();
        r_.state = State::kNone;
        r_.paused = false;
        connection_.server().GiveBuffer(std::move(answer()));
    }
}

void FcgiRequest::OnParams(Bytes bytes) {
    if (params_ended() || r_.too_large) {
        return;
    }
    Buffer& kept = r_.exchange->head_bytes();
    if (kept.size() + bytes.size() > MostFcgiParams(connection_.server().config().limits)) {
        r_.too_large = true;  // the rest is read and dropped
        return;
    }
    kept.Append(bytes);
}

void FcgiRequest::OnParamsEnd() {
    if (params_ended()) {
        return;
    }
    r_.state = State::kHead;
    int status = ReadFcgiParams(r_.exchange->head_bytes(), connection_.server().config().limits,
                                r_.exchange->new_head(), peer_);
    r_.exchange->HeadDone();
    if (r_.too_large) {
        status = 431;
    }
    if (status != 0) {
        Refuse(status, {});
        return;
    }
    connection_.Await(Wait::kBody);
}

void FcgiRequest::StartBody(bool follows) {
    r_.exchange->new_head().framed = follows;
    r_.state = State::kBody;
    FollowBody(r_.exchange->StartBody());
}

void FcgiRequest::OnStdin(Bytes bytes) {
    if (r_.state == State::kHead) {
        StartBody(true);
    }
    if (r_.state != State::kBody) {
        return;  // answered already, or more than the body
    }
    r_.received += bytes.size();
    const RequestHead& head = r_.exchange->head();
    if (head.has_content_length && r_.received > head.content_length) {
        Refuse(400, "serve_http: more of a body than its Content-Length");
        return;
    }
    size_t used = 0;
    RequestBody::Status status = r_.exchange->Feed(bytes, used);
    if (status == RequestBody::Status::kMore) {
        connection_.Await(Wait::kBody);
    }
    FollowBody(status);
}

void FcgiRequest::OnStdinEnd() {
    if (r_.state != State::kHead && r_.state != State::kBody) {
        return;
    }
    const RequestHead& head = r_.exchange->head();
    if (head.has_content_length && r_.received < head.content_length) {
        Refuse(400, "serve_http: less of a body than its Content-Length");
        return;
    }
    if (r_.state == State::kHead) {
        StartBody(false);
        return;
    }
    FollowBody(r_.exchange->Finish());
}

void FcgiRequest::FollowBody(RequestBody::Status status) {
    switch (status) {
        case RequestBody::Status::kMore: break;
        case RequestBody::Status::kFull: connection_.DiskIsFull(); break;
        case RequestBody::Status::kDisk:
            r_.state = State::kBusy;
            connection_.Await(Wait::kBusy);
            break;
        case RequestBody::Status::kComplete: r_.state = State::kReady; break;
        case RequestBody::Status::kBad:
            r_.state = State::kBusy;
            connection_.Await(Wait::kBusy);
            r_.exchange->RefuseBody();
            break;
    }
}

void FcgiRequest::OnBodyProgress() {
    connection_.DiskHasRoom();
    RequestBody::Status status = r_.exchange->body_status();
    if (status == RequestBody::Status::kMore) {
        connection_.Await(Wait::kBody);
        return;
    }
    FollowBody(status);
    if (ready()) {
        Run();
    }
}

void FcgiRequest::Refuse(int status, Bytes text) {
    r_.state = State::kBusy;
    connection_.Await(Wait::kBusy);
    r_.exchange->Refuse(status, text);
}

void FcgiRequest::TimeOut() { Refuse(408, {}); }

void FcgiRequest::Run() {
    r_.state = State::kBusy;
    connection_.Await(Wait::kBusy);
    if (r_.exchange->head().form == TargetForm::kAsterisk) {
        r_.exchange->AnswerServerOptions();
    } else {
        r_.exchange->Run();
    }
}

bool FcgiRequest::LeavesQueue() const { return active() && r_.exchange->LeavesQueue(); }

void FcgiRequest::ResumeIfRoom() {
    if (r_.paused && queued() < AnswerWriter::kHighWater / 2) {
        r_.paused = false;
        r_.exchange->Resume();
    }
}

std::string FcgiRequest::sender() const { return connection_.peer(); }

void FcgiRequest::Flushed() {
    if (!answer().empty()) {
        connection_.SendStdout(r_.id, answer().view());
        answer().Clear();
    }
}

size_t FcgiRequest::queued() const { return connection_.queued(); }

void FcgiRequest::OnAnswerPaused() {
    r_.paused = true;
    connection_.ResumeLater();
}

void FcgiRequest::OnAnswered(AnswerEnd end) {
    Flushed();
    r_.exchange = nullptr;
    r_.state = State::kNone;
    r_.paused = false;
    connection_.server().GiveBuffer(std::move(answer()));
    connection_.EndRequest(end);
}

}  // namespace rr::http
