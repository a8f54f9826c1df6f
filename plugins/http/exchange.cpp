#include "plugins/http/exchange.hpp"

#include <utility>

#include "plugins/http/access_log.hpp"
#include "plugins/http/boot_page.hpp"
#include "plugins/http/connection.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

constexpr size_t kKeep = 64 * 1024;
constexpr size_t kSummaryTarget = 256;
constexpr int kClientGone = 499;  // in records only: nobody was left to be told

}  // namespace

Exchange::Exchange(HttpServer& server) : server_(server), guard_(server.config().limits) {}

void Exchange::Begin(Connection& connection) { r_.connection = &connection; }

HeadFault Exchange::TakeHead(Bytes in) {
    head_bytes_.Append(in.substr(0, guard_.size()));
    HeadFault fault = ParseHead(head_bytes_.view(), guard_, head_);
    if (fault != HeadFault::kNone) {
        return fault;
    }
    r_.recorded = server_.records() && server_.log().Enabled(log::Level::kInfo);
    r_.start_unix_ns = UnixNanoseconds();
    r_.start = Clock::now();
    auto& bus = server_.events();
    if (bus.request) {
        r_.announced = true;
        RequestEvent event{};
        event.phase = RequestPhase::kBegun;
        event.plugin = "http";
        event.method = head_.method;
        event.uri = head_.target;
        event.remote_address = r_.connection->peer();
        event.start_unix_ns = r_.start_unix_ns;
        bus.request.Emit(event);
    }
    answer_.Begin(server_.answer_tools(), *this, r_.connection->stream(), head_);
    return HeadFault::kNone;
}

RequestBody::Status Exchange::StartBody() {
    Bytes host;
    if (!PeerHost(r_.connection->peer(), host)) {
        server_.log().Warn("remote address parsing failure",
                           {{"remote_address", r_.connection->peer()}});
    }
    if (server_.middleware().empty() || head_.form == TargetForm::kAsterisk) {
        return body_.Begin(server_.body_tools(), *this, head_, host);
    }
    if (!run_) {
        run_ = std::make_unique<MiddlewareRun>();
    }
    if (!run_->Request(server_.middleware(), head_, host)) {
        return body_.Drop(server_.body_tools(), *this, head_);
    }
    return body_.Begin(server_.body_tools(), *this, head_, run_->remote_address(),
                       run_->attributes());
}

void Exchange::Run() { r_.ticket = server_.pool().Exec(body_.job(), answer_); }

void Exchange::Resume() { server_.pool().Resume(r_.ticket); }

void Exchange::RefuseBody() {
    bool close = !body_.drained();
    if (run_ && run_->answered()) {
        answer_.Send(run_->answer(), close);
        return;
    }
    const BodyFault& fault = body_.fault();
    if (fault.status == 500) {  // not the client's fault: the body could not be stored
        OnAnswerTrouble("execute", fault.reason);
        const HttpConfig& config = server_.config();
        answer_.Refuse(config.ErrorStatus(500), config.pool.debug ? Bytes(fault.reason) : Bytes(),
                       close);
        return;
    }
    OnAnswerTrouble("request forming error", fault.reason);
    answer_.Refuse(fault.status, "serve_http: " + fault.reason, close);
}

void Exchange::RefuseHead(int status, Bytes detail) {
    net::Stream& stream = r_.connection->stream();
    AppendRefusal(status, detail, stream.queue());
    stream.Flushed();
    r_.refused = status;
    OnAnswerEnd(AnswerEnd::kClose);
}

void Exchange::AnswerServerOptions() {
    r_.recorded = false;
    answer_.Refuse(200, {}, false);
}

void Exchange::Abandon() {
    if (!r_.ticket) {
        Record();
        GiveBack();
        return;
    }
    r_.peer = r_.connection->TakePeer();
    r_.connection = nullptr;
    answer_.Detach();
    server_.pool().Cancel(r_.ticket);
}

bool Exchange::LeavesQueue() const {
    return head_.keep_alive && head_.minor > 0 && server_.pool().InQueue(r_.ticket);
}

bool Exchange::KeepsAlive() const {
    return r_.connection != nullptr && r_.connection->KeepsAlive();
}

void Exchange::OnAnswerPaused() { r_.connection->OnAnswerPaused(); }

void Exchange::OnAnswerTrouble(Bytes message, Bytes reason) {
    server_.troubles().Report(server_.loop().NowMilliseconds(), message, reason, r_.start_unix_ns,
                              Elapsed());
}

void Exchange::OnAnswerEnd(AnswerEnd end) {
    r_.ticket = {};
    Record();
    Connection* connection = r_.connection;
    GiveBack();
    if (connection != nullptr) {
        connection->OnAnswered(end);
    }
}

void Exchange::OnBodyProgress() { r_.connection->OnBodyProgress(); }

void Exchange::OnUploadFailed(Bytes reason) { OnAnswerTrouble("error opening the file", reason); }

bool Exchange::AcceptsHtml() const { return http::AcceptsHtml(head_.Find("Accept")); }

std::string Exchange::Summary() const {
    std::string text(head_.method);
    text += ' ';
    text += head_.target.substr(0, kSummaryTarget);
    return text;
}

void Exchange::OnAnswerHead(int status, std::vector<AnswerField>& fields) {
    if (run_) {
        run_->Response(status, fields);
    }
}

int64_t Exchange::Elapsed() const {
    return r_.start_unix_ns == 0 ? 0 : (Clock::now() - r_.start).count();
}

void Exchange::Record() {
    if (!r_.recorded && !r_.announced) {
        return;
    }
    AccessRecord record;
    int answered = r_.refused != 0 ? r_.refused : answer_.status();
    record.status = answered != 0 ? answered : kClientGone;
    record.method = head_.method;
    record.target = head_.target;
    record.remote_address = r_.connection != nullptr ? Bytes(r_.connection->peer()) : r_.peer;
    if (run_ && run_->moved()) {
        record.remote_address = run_->remote_address();
    }
    record.host = head_.host;
    record.content_length = head_.chunked ? -1 : static_cast<int64_t>(head_.content_length);
    record.read_bytes = body_.received();
    record.write_bytes = answer_.written();
    record.start_unix_ns = r_.start_unix_ns;
    record.elapsed_ns = Elapsed();
    if (r_.announced) {
        RequestEvent event{};
        event.phase = RequestPhase::kFinished;
        event.plugin = "http";
        event.method = record.method;
        event.uri = record.target;
        event.remote_address = record.remote_address;
        event.status = record.status;
        event.no_worker = answer_.no_worker();
        event.start_unix_ns = record.start_unix_ns;
        event.elapsed_ns = record.elapsed_ns;
        event.read_bytes = record.read_bytes;
        event.write_bytes = record.write_bytes;
        server_.events().request.Emit(event);
    }
    if (!r_.recorded) {
        return;
    }
    bool full = server_.config().access_logs;
    if (full) {
        record.user_agent = head_.Find(HeaderId::kUserAgent);
        record.referer = head_.Find(HeaderId::kReferer);
    }
    LogAccess(server_.log(), full, record);
}

void Exchange::GiveBack() {
    guard_.Reset();
    head_.Reset();
    body_.Reset();
    head_bytes_.Clear(kKeep);
    if (run_) {
        run_->Reset();
    }
    r_ = Request();
    server_.GiveBack(*this);
}

}  // namespace rr::http
