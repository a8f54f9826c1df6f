#include "plugins/http/exchange.hpp"

#include <algorithm>
#include <utility>

#include "plugins/http/boot_page.hpp"
#include "plugins/http/redirect.hpp"
#include "plugins/http/server.hpp"
#include "plugins/http/slow_log.hpp"

namespace rr::http {

namespace {

constexpr size_t kKeep = 64 * 1024;
constexpr size_t kSummaryTarget = 256;
constexpr int kClientGone = 499;  // in records only: nobody was left to be told

}  // namespace

Exchange::Exchange(HttpServer& server) : server_(server), guard_(server.config().limits) {}

void Exchange::Begin(Carrier& carrier) { r_.carrier = &carrier; }

HeadFault Exchange::TakeHead(Bytes in, bool secure) {
    head_bytes_.Append(in.substr(0, guard_.size()));
    HeadFault fault = ParseHead(head_bytes_.view(), guard_, head_);
    head_.secure = secure;
    return fault;
}

void Exchange::HeadDone() {
    r_.gateway = r_.carrier->form == WireForm::kFastCgi;
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
        event.remote_address = r_.carrier->peer();
        event.start_unix_ns = r_.start_unix_ns;
        bus.request.Emit(event);
    }
    answer_.Begin(server_.answer_tools(), *this, *r_.carrier, head_);
}

// `ssl.redirect`, before all middlewares. A gateway that speaks FastCGI has its own TLS.
bool Exchange::Redirects() const {
    return server_.config().ssl.redirect && !head_.secure && head_.form != TargetForm::kAsterisk &&
           r_.carrier->form != WireForm::kFastCgi;
}

// `http.debug`: the header or the cookie is there, and all on the way of the request are trusted.
bool Exchange::WantsDebugger() const {
    const DebugRules& rules = *server_.config().debug;
    return rules.Asks(head_) && rules.Trusts(head_, r_.carrier->peer(), r_.carrier->sender(),
                                             r_.carrier->form == WireForm::kFastCgi);
}

RequestBody::Status Exchange::StartBody() {
    if (Redirects()) {
        redirect_ = std::make_unique<HttpAnswer>(
            RedirectToHttps(head_, server_.config().ssl.redirect_code, server_.tls_port()));
        r_.recorded = false;
        return body_.Drop(server_.body_tools(), *this, head_);
    }
    if (server_.config().debug) {  // asked of the head as the client sent it
        r_.debug = WantsDebugger();
    }
    Bytes host;
    if (!PeerHost(r_.carrier->peer(), host)) {
        server_.log().Warn("remote address parsing failure",
                           {{"remote_address", r_.carrier->peer()}});
    }
    if (server_.middleware().empty() || head_.form == TargetForm::kAsterisk) {
        return body_.Begin(server_.body_tools(), *this, head_, host);
    }
    if (!run_) {
        run_ = std::make_unique<MiddlewareRun>();
    }
    if (!run_->Request(server_.middleware(), head_, host, r_.debug)) {
        return body_.Drop(server_.body_tools(), *this, head_);
    }
    if (r_.debug && run_->moved()) {
        r_.debug = server_.config().debug->Trusts(run_->remote_address());
    }
    return body_.Begin(server_.body_tools(), *this, head_, run_->remote_address(),
                       run_->attributes());
}

void Exchange::Run() {
    r_.asked = true;
    if (r_.debug) {
        RunDebugged();
        return;
    }
    r_.pool = &server_.PoolFor(head_);
    answer_.TellReasons(r_.pool->config().debug);
    r_.ticket = r_.pool->Exec(body_.job(), answer_);
}

void Exchange::RunDebugged() {
    r_.pool = server_.debug_pool();
    answer_.TellReasons(r_.pool->config().debug);
    pool::Job job = body_.job();
    job.replayable = false;  // who ends the worker from the debugger does not want another run
    r_.ticket = r_.pool->Exec(job, answer_);
}

void Exchange::Resume() {
    if (answer_.pumping()) {
        answer_.Resume();
        return;
    }
    r_.pool->Resume(r_.ticket);
}

void Exchange::RefuseBody() {
    bool close = !body_.drained();
    if (redirect_) {
        answer_.Send(*redirect_, close);
        return;
    }
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
    AppendRefusal(status, detail, r_.carrier->out);
    r_.carrier->Flushed();
    r_.refused = status;
    OnAnswerEnd(AnswerEnd::kClose);
}

void Exchange::Refuse(int status, Bytes text) { answer_.Refuse(status, text, false); }

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
    r_.peer = r_.carrier->peer();
    r_.carrier = nullptr;
    answer_.Detach();
    r_.pool->Cancel(r_.ticket);
}

bool Exchange::LeavesQueue() const {
    return head_.keep_alive && head_.minor > 0 && r_.pool != nullptr && r_.pool->InQueue(r_.ticket);
}

bool Exchange::KeepsAlive() const { return r_.carrier != nullptr && r_.carrier->KeepsAlive(); }

void Exchange::OnAnswerPaused() { r_.carrier->OnAnswerPaused(); }

void Exchange::OnAnswerTrouble(Bytes message, Bytes reason) {
    server_.troubles().Report(server_.loop().NowMilliseconds(), message, reason, r_.start_unix_ns,
                              Elapsed());
}

void Exchange::OnAnswerEnd(AnswerEnd end) {
    r_.ticket = {};
    r_.complete = end != AnswerEnd::kAbort && r_.carrier != nullptr;
    Record();
    Carrier* carrier = r_.carrier;
    GiveBack();
    if (carrier != nullptr) {
        carrier->OnAnswered(end);
    }
}

void Exchange::OnBodyProgress() { r_.carrier->OnBodyProgress(); }

void Exchange::OnUploadFailed(Bytes reason) { OnAnswerTrouble("error opening the file", reason); }

bool Exchange::AcceptsHtml() const { return http::AcceptsHtml(head_.Find("Accept")); }

std::string Exchange::Summary() const {
    std::string text(head_.method);
    text += ' ';
    text += head_.target.substr(0, kSummaryTarget);
    return text;
}

void Exchange::OnAnswerHead(AnswerDraft& draft) {
    if (run_) {
        run_->Response(draft);
    }
    const std::string& hsts = server_.config().ssl.hsts;
    if (head_.secure && !hsts.empty()) {
        static constexpr Bytes kName = "Strict-Transport-Security";
        auto own = [](const AnswerField& field) { return EqualsIgnoreCase(field.name, kName); };
        if (std::none_of(draft.fields.begin(), draft.fields.end(), own)) {
            draft.fields.push_back({kName, hsts});
        }
    }
}

int64_t Exchange::Elapsed() const {
    return r_.start_unix_ns == 0 ? 0 : (Clock::now() - r_.start).count();
}

// Sent so far.
int Exchange::Status() const { return r_.refused != 0 ? r_.refused : answer_.status(); }

// But for the URL.
AccessRecord Exchange::Facts(int64_t elapsed_ns) const {
    AccessRecord record;
    record.status = Status();
    record.method = head_.method;
    record.target = head_.target;
    record.remote_address = r_.carrier != nullptr ? Bytes(r_.carrier->peer()) : r_.peer;
    if (run_ && run_->moved()) {
        record.remote_address = run_->remote_address();
    }
    record.host = head_.host;
    const bool unknown = head_.chunked || (head_.framed && !head_.has_content_length);
    record.content_length = unknown ? -1 : static_cast<int64_t>(head_.content_length);
    record.read_bytes = body_.received();
    record.write_bytes = answer_.written();
    record.start_unix_ns = r_.start_unix_ns;
    record.elapsed_ns = elapsed_ns;
    return record;
}

void Exchange::NameUrl(AccessRecord& record, Buffer& url) const {
    if (r_.gateway) {
        AppendUri(head_, head_.secure, url);
        record.url = url.view();
    }
}

void Exchange::OnSlow(const pool::JobReport& report, Bytes doing) {
    if (r_.slow) {
        return;  // it runs again
    }
    r_.slow = true;
    r_.report = report;
    AccessRecord record = Facts(Elapsed());
    Buffer url;
    NameUrl(record, url);
    LogSlow(server_.log(), record, report, doing);
}

void Exchange::Record() {
    int status = Status() != 0 ? Status() : kClientGone;
    const bool told = r_.recorded || r_.announced || r_.slow;
    if (!run_ && !told) {
        return;
    }
    const int64_t elapsed_ns = Elapsed();
    if (run_) {
        TellMiddlewares(status, elapsed_ns);
    }
    if (!told) {
        return;
    }
    AccessRecord record = Facts(elapsed_ns);
    record.status = status;
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
    Buffer url;
    if (r_.recorded || r_.slow) {
        NameUrl(record, url);
    }
    if (r_.slow) {
        LogSlowEnd(server_.log(), record, r_.report);
    }
    if (!r_.recorded) {
        return;
    }
    bool full = server_.config().access_logs;
    if (server_.config().access_log_usage != HttpConfig::Usage::kNone) {
        record.cpu = r_.report.cpu;
        record.peak_memory = r_.report.peak_memory;
    }
    if (full) {
        record.user_agent = head_.Find(HeaderId::kUserAgent);
        record.referer = head_.Find(HeaderId::kReferer);
    }
    LogAccess(server_.log(), full, record);
}

void Exchange::TellMiddlewares(int status, int64_t elapsed_ns) {
    HttpOutcome outcome;
    outcome.status = status;
    outcome.complete = r_.complete;
    outcome.no_worker = answer_.no_worker();
    outcome.worker = r_.asked;
    outcome.read_bytes = body_.received();
    outcome.write_bytes = answer_.written();
    outcome.start_unix_ns = r_.start_unix_ns;
    outcome.elapsed_ns = elapsed_ns;
    run_->Finished(outcome);
}

void Exchange::GiveBack() {
    answer_.Reset();
    guard_.Reset();
    head_.Reset();
    body_.Reset();
    head_bytes_.Clear(kKeep);
    if (run_) {
        run_->Reset();
    }
    redirect_.reset();
    r_ = Request();
    server_.GiveBack(*this);
}

}  // namespace rr::http
