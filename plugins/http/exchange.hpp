// Exchange: one request and its answer, from the first byte of the head to the log record.
//
// Its carrier (wire.hpp) brings the bytes and takes the answer: an HTTP/1.1 connection, a stream of
// HTTP/2, a request of FastCGI. It outlives the carrier if the client goes while a worker runs the request: OnDone still
// comes, and only then the bytes that the pool borrowed may go.
//
// Thread: its loop.
// Owns:   the request's bytes, its body and the state of its answer. The memory is used again by
//         the next request; at the end the exchange gives itself back to the server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/list.hpp"
#include "core/base/time.hpp"
#include "core/pool/job.hpp"
#include "core/pool/pool.hpp"
#include "plugins/http/access_log.hpp"
#include "plugins/http/answer_writer.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/head_guard.hpp"
#include "plugins/http/middleware.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

class HttpServer;

class Exchange final : public Linked, private AnswerHandler, private BodyHandler {
public:
    explicit Exchange(HttpServer& server);
    ~Exchange() = default;

    // A new request of `carrier`, of which no byte was read yet.
    void Begin(Carrier& carrier);

    // HTTP/1.1. Looks at the connection's bytes from the start of the request on.
    HeadGuard::Status Scan(Bytes in) { return guard_.Scan(in); }
    HeadFault fault() const { return guard_.fault(); }
    size_t head_size() const { return guard_.size(); }
    // After kComplete: keeps the head's bytes and reads them.
    HeadFault TakeHead(Bytes in, bool secure);
    // Other protocols: the carrier fills the head, whose views lie in head_bytes() or are constants.
    RequestHead& new_head() { return head_; }
    Buffer& head_bytes() { return head_bytes_; }
    // The head is there, and the request is one to be counted.
    void HeadDone();
    const RequestHead& head() const { return head_; }

    // After HeadDone. Shows the head to the middlewares first.
    RequestBody::Status StartBody();
    RequestBody::Status Feed(Bytes in, size_t& consumed) { return body_.Feed(in, consumed); }
    RequestBody::Status Finish() { return body_.Finish(); }
    RequestBody::Status body_status() const { return body_.status(); }

    // Gives the request to the pool. The carrier hears OnAnswered later.
    void Run();
    // Continues an answer that was paused.
    void Resume();

    // Answers that need no worker; the carrier hears OnAnswered at once, or, if a file is sent, later.
    void RefuseBody();  // what body_status() kBad stands for; or a middleware's answer
    void RefuseHead(int status, Bytes detail);  // HTTP/1.1; and the connection closes
    void Refuse(int status, Bytes text);        // after HeadDone
    void AnswerServerOptions();                 // `OPTIONS *`

    // The client has gone: a queued job leaves the queue, a stream is stopped.
    void Abandon();
    // No worker has begun, and the client did not announce that it would close.
    bool LeavesQueue() const;
    // The client has all of its answer already, though the worker has not ended: to HEAD, or a 204.
    bool OwesNothing() const { return answer_.bodiless(); }

private:
    // AnswerHandler
    bool KeepsAlive() const override;
    void OnAnswerPaused() override;
    void OnAnswerTrouble(Bytes message, Bytes reason) override;
    void OnAnswerEnd(AnswerEnd end) override;
    bool AcceptsHtml() const override;
    std::string Summary() const override;
    void OnSlow(const pool::JobReport& report, Bytes doing) override;
    void OnMeasured(const pool::JobReport& report) override { r_.report = report; }
    // BodyHandler
    void OnBodyProgress() override;
    void OnUploadFailed(Bytes reason) override;

    void OnAnswerHead(AnswerDraft& draft) override;
    void OnWorkerDone() override { r_.ticket = {}; }

    int64_t Elapsed() const;
    bool Redirects() const;
    bool WantsDebugger() const;
    void RunDebugged();
    int Status() const;
    AccessRecord Facts(int64_t elapsed_ns) const;
    void NameUrl(AccessRecord& record, Buffer& url) const;
    void Record();
    void TellMiddlewares(int status, int64_t elapsed_ns);
    void GiveBack();

    HttpServer& server_;

    // Kept from request to request.
    HeadGuard guard_;
    RequestHead head_;
    RequestBody body_;
    AnswerWriter answer_;
    Buffer head_bytes_;
    std::unique_ptr<MiddlewareRun> run_;    // null until a request meets a middleware
    std::unique_ptr<HttpAnswer> redirect_;  // of this request, which is to come over TLS

    struct Request {
        Carrier* carrier = nullptr;        // null: the client has gone
        std::string peer;                  // its name, once the carrier is gone
        pool::WorkerPool* pool = nullptr;  // that was asked
        pool::Ticket ticket;
        bool gateway = false;    // FastCGI
        bool debug = false;      // for the debug pool
        bool announced = false;  // on the event bus
        bool asked = false;      // a worker
        bool complete = false;   // the whole answer was written
        bool recorded = false;   // one record per request that reached TakeHead
        int refused = 0;         // the status, if no worker was asked
        bool slow = false;       // and said so
        int64_t start_unix_ns = 0;
        Instant start;
        pool::JobReport report;  // pid 0: no worker was measured
    };
    Request r_;
};

}  // namespace rr::http
