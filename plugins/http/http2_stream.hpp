// Http2Stream: one request of an HTTP/2 connection, as its exchange sees it.
//
// Thread: its loop.
// Owns:   the answer's body until it goes into frames; the request's head while its fields arrive.
//         Borrows its connection, which owns it and outlives it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

class Exchange;
class Http2Connection;

class Http2Stream final : private Buffer, public Carrier {
public:
    explicit Http2Stream(Http2Connection& connection);
    ~Http2Stream();

    // A new request.
    void Begin(int32_t stream_id, Exchange& exchange);
    // The stream is closed: whatever its exchange does is of no use.
    void Leave();

    // The request.
    void Field(Bytes name, Bytes value);
    // The head is complete; ends: there is no body.
    void OnHead(bool ends);
    void OnBody(Bytes data);
    void OnBodyEnd();
    // Gives the complete request to the pool; not while input lies in the loop's scratch.
    void Run();
    bool ready() const { return r_.ready; }
    // Nothing of its body came for too long.
    void TimeOut();

    // The answer. Continues one that was paused, if there is room.
    void ResumeIfRoom();
    Buffer& body() { return *this; }
    bool body_ended() const { return r_.ended; }
    Bytes trailers() const { return r_.trailers; }

    // For the connection.
    int32_t id() const { return r_.id; }
    bool paused() const { return r_.paused; }
    bool has_room() const;
    bool request_ended() const { return r_.request_ended; }
    // Bytes that the body could not take yet: the client's window stays smaller by as much.
    size_t TakeUnconsumed() { return std::exchange(r_.unconsumed, 0); }
    // When something of its body last came; 0: none is waited for.
    int64_t body_since_ms() const { return r_.body_since_ms; }
    bool deferred = false;  // nghttp2 waits for more of the answer

    // Wire
    void Flushed() override;
    size_t queued() const override { return size(); }
    void Head(int status, std::span<const AnswerField> fields, bool body) override;
    void End(Bytes lines) override;

    // Carrier
    const std::string& peer() const override;
    std::string sender() const override;
    bool KeepsAlive() const override { return true; }
    void OnBodyProgress() override;
    void OnAnswerPaused() override;
    void OnAnswered(AnswerEnd end) override;

private:
    struct Span {
        uint32_t at = 0;
        uint32_t size = 0;
    };
    struct FieldSpan {
        Span name;
        Span value;
    };

    Span Keep(Bytes bytes);
    int BuildHead(bool ends);
    void FollowBody(RequestBody::Status status);
    void Wait();

    Http2Connection& connection_;
    std::vector<FieldSpan> fields_;  // offsets into the exchange's head_bytes

    struct Request {
        int32_t id = 0;
        Exchange* exchange = nullptr;  // null: answered, or given up
        Span method;
        Span path;
        Span authority;
        bool connect_path = false;  // :path was sent
        bool secure = false;
        int fault = 0;  // the status for a head that can't be taken
        bool ready = false;
        bool request_ended = false;
        bool answered = false;  // the final head was submitted
        bool ended = false;     // the answer's body is complete
        bool paused = false;    // its worker waits for the client
        size_t head_size = 0;
        size_t unconsumed = 0;
        int64_t body_since_ms = 0;
        std::string trailers;
    };
    Request r_;
};

}  // namespace rr::http
