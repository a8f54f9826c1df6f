// AnswerWriter: turns what a worker sends, or fails to send, into the answer on the wire.
//
//   one frame            Content-Length, also when it comes in pieces
//   several frames       one HTTP chunk per frame; to HTTP/1.0 until the connection closes
//   status 1xx, more     an informational head; the final one still comes
//   nothing usable       500, 502, 503, 504 (http.internal_error_code replaces them)
//   fails half-way       the connection is aborted, so that the client sees the cut
//
// Middlewares may change its head, pass its body through filters, or put another body in its place;
// and they may answer themselves, with a text, files, or both.
//
// Thread: its loop.
// Owns:   the head of a stream until its first byte, trailers, filters. Borrows tools, handler, wire.
// Fails:  never; failures become answers and are told to the handler for its log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/base/bytes.hpp"
#include "core/pool/job.hpp"
#include "plugins/http/answer.hpp"
#include "plugins/http/config.hpp"
#include "plugins/http/date.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/middleware.hpp"
#include "plugins/http/response.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

// What answers of one loop share.
struct AnswerTools {
    const HttpConfig& config;
    AnswerDecoder decoder;
    ResponseWriter writer;
    HttpDate date;
    Answer answer;        // of the frame at hand
    bool edited = false;  // middlewares change heads: OnAnswerHead
    Buffer block{};       // of a file, on its way through filters

    Bytes Date();
};

class AnswerHandler {
public:
    // May the connection go on after this answer? Asked when its head is written.
    virtual bool KeepsAlive() const = 0;
    // The client reads too slowly: call the pool's Resume once the stream has room.
    virtual void OnAnswerPaused() = 0;
    // Something for the error log: RoadRunner's message, and the reason.
    virtual void OnAnswerTrouble(Bytes message, Bytes reason) = 0;
    // Last call.
    virtual void OnAnswerEnd(AnswerEnd end) = 0;
    // If heads are edited: the final one, before it is written. Views may be added that live until
    // OnAnswerEnd.
    virtual void OnAnswerHead(AnswerDraft& draft) = 0;
    // The worker is free: the rest of the answer comes from a file.
    virtual void OnWorkerDone() = 0;
    // Is a page for people wanted?
    virtual bool AcceptsHtml() const = 0;
    // `GET /slow`, for lists of what workers do.
    virtual std::string Summary() const = 0;
    // As in pool::JobSink.
    virtual void OnSlow(const pool::JobReport& report, Bytes doing) = 0;
    virtual void OnMeasured(const pool::JobReport& report) = 0;

protected:
    ~AnswerHandler() = default;
};

class AnswerWriter final : public pool::JobSink {
public:
    // Queued output above which the worker is paused.
    static constexpr size_t kHighWater = 256 * 1024;

    // Readies it for one request.
    void Begin(AnswerTools& tools, AnswerHandler& handler, Wire& wire, const RequestHead& head);
    // Whether the client is told why the worker failed; as http.pool.debug says unless called.
    void TellReasons(bool tell) { r_.reasons = tell; }
    // The client has gone: what still comes is dropped.
    void Detach() { r_.wire = nullptr; }
    // Forgets the request; buffers keep up to 64 KiB each.
    void Reset();

    // An answer of our own instead of a worker's; ends it. close: the connection cannot go on.
    void Refuse(int status, Bytes text, bool close);
    // A middleware's answer, likewise; it stays in place until OnAnswerEnd.
    void Send(const HttpAnswer& answer, bool close);
    // After OnAnswerPaused, if it is not the worker who waits.
    void Resume() { Pump(); }
    // The body comes from files now.
    bool pumping() const { return r_.pieces != nullptr; }

    // The head is out, and no body may follow whatever the worker still sends.
    bool bodiless() const { return r_.state == State::kBody && r_.plan.framing == Framing::kNone; }

    int status() const { return r_.status; }         // sent so far; 0: none
    bool no_worker() const { return r_.no_worker; }  // refused because none was free
    uint64_t written() const { return r_.written; }  // bytes of the body

    // pool::JobSink
    void OnHead(const pool::AnswerHead& head) override;
    bool OnChunk(Bytes body) override;
    void OnDone(const pool::JobResult& result) override;
    std::string Summary() const override { return r_.handler->Summary(); }
    void OnSlow(const pool::JobReport& report, Bytes doing) override {
        r_.handler->OnSlow(report, doing);
    }
    void OnMeasured(const pool::JobReport& report) override { r_.handler->OnMeasured(report); }

private:
    enum class State : uint8_t {
        kNothing,  // no usable frame yet
        kWhole,    // decoded; its body is the next call
        kHeld,     // the head waits for the first byte of the body
        kBody,     // the head is out
        kOwn,      // answered by ourselves: the worker's frames are dropped
    };

    static bool IsLength(const AnswerField& field);
    void TakeFirst(const pool::AnswerHead& head);
    void TakeBadStatus();
    void TakeWhole(Bytes body);
    void StartStream(Bytes body_start);
    void EditHead(bool whole, uint64_t size, Bytes start);
    void WriteHead(bool whole, uint64_t body_size, Bytes body_start, bool close);
    void WriteFrame(Bytes body);
    void WritePiece(Bytes bytes);
    void WriteFiltered(Bytes in, HttpBodyFilter::Step step);
    bool RunFilters(Bytes in, HttpBodyFilter::Step step);
    void WriteOwn(int status, Bytes text, bool close);
    void WriteBootPage(int status, Bytes reason);
    void WriteShort(int status, Bytes body, const std::vector<HttpPiece>* pieces, bool close);
    void SendReplacement();
    bool Gather(Bytes body, const std::vector<HttpPiece>& pieces);
    void Pump();
    bool PumpFile(const HttpFile& file);
    void EndOwn();
    AnswerEnd EndOfOwn() const;
    // Headers of informational answers that the final head has to repeat; null: none.
    const CarriedFields* Carried() const {
        return carried_.empty() || r_.carried_edited ? nullptr : &carried_;
    }
    void BadAnswer(Bytes reason);
    void FailBeforeHead(const pool::JobResult& result);
    AnswerEnd FinishBody();

    // Buffers, kept from request to request.
    Buffer held_;  // context of a stream's first frame
    Buffer trailers_;
    CarriedFields carried_;
    std::vector<std::unique_ptr<HttpBodyFilter>> filters_;
    Buffer filtered_;
    Buffer between_;                      // two filters
    std::vector<HttpPiece> replacement_;  // at most one: the body that a middleware put in place

    struct Request {
        AnswerTools* tools = nullptr;
        AnswerHandler* handler = nullptr;
        Wire* wire = nullptr;  // null: the client has gone
        State state = State::kNothing;
        uint8_t minor = 1;
        bool head_request = false;
        bool reasons = false;         // of failures go into the answer
        bool wants_more = false;      // the client would keep the connection
        bool more = false;            // frames follow the one at hand
        bool in_chunk = false;        // its chunk head is out
        bool carried_edited = false;  // carried_ is among the answer's own fields
        bool no_worker = false;
        bool overflow = false;     // the worker sent more than its Content-Length
        bool worker_done = false;  // of a replaced answer
        bool replaced = false;     // `replacement_` is sent instead of the worker's body
        bool resized = false;      // middlewares make the body another size
        bool promised = false;     // the worker's Content-Length, of a stream that passes filters:
        bool cut = false;          // a filter failed, or a file was shorter than said
        const std::vector<HttpPiece>* pieces = nullptr;  // still to be sent
        size_t piece = 0;                                // the one at hand
        bool piece_text = false;                         // its text is out
        uint64_t piece_sent = 0;                         // of its file
        uint8_t held_flags = 0;
        uint64_t held_size = 0;  // body of the held frame
        uint64_t frame_left = 0;
        uint64_t length_left = 0;
        uint64_t promised_left = 0;  // what it still has to send
        uint64_t written = 0;
        int status = 0;
        ResponsePlan plan;
    };
    Request r_;
};

}  // namespace rr::http
