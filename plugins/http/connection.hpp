// Connection: one client's HTTP/1.1 conversation: requests one after the other, answers in order.
//
//   kIdle -> kHead -> kBody -> kBusy (with a worker) -> kIdle ... -> kLinger -> gone
//
// While a request waits or runs, reading goes on into at most 16 KiB, so that a client that goes is
// noticed; what came is the next request.
//
// Thread: its loop. An idle one holds no buffer.
// Owns:   its stream. The server owns it, and deletes it in Remove.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/list.hpp"
#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "plugins/http/answer_writer.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/head_guard.hpp"

namespace rr::http {

class Exchange;
class HttpServer;

// What a connection waits for: each has its list in the server, and its limit.
enum class Wait : uint8_t {
    kFirst,   // the first byte of the first request
    kHead,    // the rest of a head
    kBody,    // more of a body
    kBusy,    // a worker; or the client takes its answer
    kIdle,    // the next request
    kLinger,  // the client closes
    kCount,
};

class Connection final : public Linked, private net::StreamHandler, private Flushable {
public:
    Connection(HttpServer& server, net::Stream::Kind kind, int descriptor);
    ~Connection();

    void Start();

    // For the server.
    // The limit of its wait has passed.
    void OnTimeout();
    // Once per tick while in the busy or the linger list; write_ms: longest time without progress.
    void OnTick(int64_t now_ms, int64_t write_ms);
    Wait wait = Wait::kFirst;  // kept by the server, as is:
    int64_t since_ms = 0;      // when it was last touched

    // For its exchange.
    net::Stream& stream() { return stream_; }
    const std::string& peer() const { return peer_; }
    std::string TakePeer() { return std::move(peer_); }
    bool KeepsAlive() const;
    void OnBodyProgress();
    void OnAnswerPaused();
    void OnAnswered(AnswerEnd end);

private:
    static constexpr size_t kReadAhead = 16 * 1024;  // while a request waits or runs
    static constexpr int64_t kLingerMs = 2000;
    static constexpr size_t kLingerMost = 1024 * 1024;  // dropped while the client is still sending

    enum class State : uint8_t {
        kIdle,    // no byte of the next request was read
        kHead,    // part of a head is in input_
        kBody,    // body bytes go to the exchange
        kReady,   // complete: to be run once the rest of the input is safe
        kBusy,    // the pool has it
        kCut,     // the answer failed half-way: about to be reset
        kLinger,  // the last answer is out or on its way; input is dropped
    };

    // net::StreamHandler
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;
    // Flushable
    void OnTurnEnd() override;

    size_t Advance(Bytes in);
    void AdvanceInput();
    void BeginRequest();
    size_t AdvanceHead(Bytes in);
    size_t AdvanceBody(Bytes in);
    void StartRequest(bool more_input);
    void FollowBody(RequestBody::Status status);
    void AfterInput();
    void Keep(Bytes in);
    void LimitReadAhead();
    void GiveBackInput();
    void GiveBackOutput();
    void Refuse(int status, Bytes detail);
    void Linger();
    void Continue();
    void ResumeIfRoom();

    HttpServer& server_;
    net::Stream stream_;
    Buffer input_;                  // bytes read but not yet understood
    std::string peer_;              // `127.0.0.1:40000`
    Exchange* exchange_ = nullptr;  // null in kIdle and kLinger
    State state_ = State::kIdle;
    bool eof_ = false;         // the client has sent its last byte
    bool paused_ = false;      // the worker waits for the client
    size_t dropped_ = 0;       // in kLinger
    size_t queued_ = 0;        // at the last tick
    int64_t progress_ms_ = 0;  // when queued_ last changed
};

}  // namespace rr::http
