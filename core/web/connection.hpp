// Connection: one client of an Endpoint. For endpoint.cpp only.
//
// Thread: the endpoint's loop.
// Owns:   its stream, its parser, and what it read ahead of the request that is being answered.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/net/stream.hpp"
#include "core/web/endpoint.hpp"
#include "core/web/request_parser.hpp"

namespace rr::web {

class Connection final : private net::StreamHandler {
public:
    Connection(Endpoint& endpoint, net::Stream::Kind kind, int descriptor);
    ~Connection();

    void Start();
    // The answer to the request that the handler has.
    void Send(Answer answer);
    void OnTick(Instant now);
    // No request of it is being answered: it may be closed without loss.
    bool waiting() const { return state_ == State::kReading || state_ == State::kLinger; }
    Instant since() const { return since_; }
    // Gives the kernel what it takes.
    void FlushLast();
    void Close();

private:
    enum class State : uint8_t {
        kReading,    // between requests, or within one
        kAnswering,  // the handler has the request
        kSending,    // files of an answer are on their way
        kStalled,    // the client must take its answers before its next request is read
        kLinger,     // the last answer is on its way; input is dropped
        kClosed,
    };
    static constexpr size_t kMostQueued = 256 * 1024;
    static constexpr Duration kLingerTime = std::chrono::seconds(2);

    // net::StreamHandler
    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;

    void Advance();
    // True while the next request may be read.
    bool Step();
    void Refuse(int status);
    void Write(const Answer& answer, bool keep_alive);
    void Pump();
    bool SendSome(const HttpFile& file);
    void Finish();
    void Linger();
    void Enter(State state);

    Endpoint& endpoint_;
    net::Stream stream_;
    RequestParser parser_;
    Buffer input_;  // read, not parsed yet
    Responder::Link link_;
    std::vector<HttpPiece> pieces_;  // of the answer being sent
    size_t piece_ = 0;               // the one it is at
    uint64_t piece_sent_ = 0;        // of its file
    uint64_t pumped_ = 0;            // of all files
    bool piece_text_ = false;        // its text is queued
    bool keep_alive_ = false;        // after that answer
    State state_ = State::kReading;
    Instant since_;           // when it entered the state, or began the request
    bool first_ = true;       // no request has come yet
    bool advancing_ = false;  // Advance() is at work further up
    bool in_request_ = false;
    bool eof_ = false;  // the client will send no more
};

}  // namespace rr::web
