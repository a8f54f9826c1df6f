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
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/client.hpp"
#include "plugins/http/head_guard.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

class Exchange;
class HttpServer;

class Connection final : public Client,
                         public Carrier,
                         private net::StreamHandler,
                         private Flushable {
public:
    // peer: of a client behind a proxy; empty: the stream knows.
    Connection(HttpServer& server, std::unique_ptr<net::Stream> stream, std::string peer = "");
    ~Connection() override;

    // received: what was read of it already.
    void Start(Bytes received);

    // Client
    void Start() override { Start({}); }
    const std::string& peer() const override { return peer_; }
    void OnTimeout() override;
    void OnTick(int64_t now_ms, int64_t write_ms) override;

    // Wire
    void Flushed() override { stream_->Flushed(); }
    size_t queued() const override { return stream_->queued(); }
    int64_t SendFile(const File& file, uint64_t offset, uint64_t size) override;

    // Carrier
    bool KeepsAlive() const override;
    void OnBodyProgress() override;
    void OnAnswerPaused() override;
    void OnAnswered(AnswerEnd end) override;

private:
    static constexpr size_t kReadAhead = 16 * 1024;  // while a request waits or runs

    enum class State : uint8_t {
        kIdle,    // no byte of the next request was read
        kHead,    // part of a head is in input_
        kBody,    // body bytes go to the exchange
        kReady,   // complete: to be run once the rest of the input is safe
        kBusy,    // the pool has it
        kCut,     // the answer failed half-way: about to be reset
        kHttp2,   // it goes on as HTTP/2: about to be replaced
        kLinger,  // the last answer is out or on its way; input is dropped
    };

    // net::StreamHandler
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;
    void OnSecured() override;
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
    bool WantsUpgrade() const;
    void SpeakHttp2(Bytes received);

    HttpServer& server_;
    std::unique_ptr<net::Stream> stream_;
    Buffer input_;                  // bytes read but not yet understood
    std::string peer_;              // `127.0.0.1:40000`
    Exchange* exchange_ = nullptr;  // null in kIdle and kLinger
    State state_ = State::kIdle;
    bool handshake_;       // TLS is not there yet
    bool fresh_ = true;    // no request was read yet
    bool eof_ = false;     // the client has sent its last byte
    bool paused_ = false;  // the worker waits for the client
    size_t dropped_ = 0;   // in kLinger
    WriteWatch write_watch_;
};

}  // namespace rr::http
