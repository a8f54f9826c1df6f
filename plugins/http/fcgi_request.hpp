// FcgiRequest: the request of a FastCGI connection, as its exchange sees it.
//
//   kNone -> kParams -> kHead -> kBody -> kReady -> kBusy (with a worker) -> kNone
//
// Thread: its loop.
// Owns:   the answer's bytes until they go into records. Borrows its connection, whose part it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

class Exchange;
class FcgiConnection;

class FcgiRequest final : private Buffer, public Carrier {
public:
    explicit FcgiRequest(FcgiConnection& connection);
    ~FcgiRequest() { Leave(); }

    // A new request; none is active.
    void Begin(uint16_t id, Exchange& exchange);
    // The gateway does not want the answer.
    void Leave();

    bool active() const { return r_.exchange != nullptr; }
    uint16_t id() const { return r_.id; }

    // Only while active.
    void OnParams(Bytes bytes);
    void OnParamsEnd();
    bool params_ended() const { return r_.state != State::kParams; }
    void OnStdin(Bytes bytes);
    void OnStdinEnd();
    // Nothing of its body came for too long.
    void TimeOut();

    // Gives the complete request to the pool; not while input lies in the loop's scratch.
    void Run();
    bool ready() const { return r_.state == State::kReady; }
    // It needs nothing more from the gateway.
    bool complete() const { return r_.state >= State::kReady; }
    // No worker has begun.
    bool LeavesQueue() const;

    // Continues an answer that was paused, if there is room.
    void ResumeIfRoom();
    bool paused() const { return r_.paused; }

    // Wire
    void Flushed() override;
    size_t queued() const override;

    // Carrier
    const std::string& peer() const override { return peer_; }
    std::string sender() const override;
    bool KeepsAlive() const override { return true; }
    void OnBodyProgress() override;
    void OnAnswerPaused() override;
    void OnAnswered(AnswerEnd end) override;

private:
    enum class State : uint8_t {
        kNone,
        kParams,  // they are collected
        kHead,    // whether a body follows is seen with the first record of STDIN
        kBody,
        kReady,  // complete: to be run once the rest of the input is read
        kBusy,   // the pool has it, or the disk
    };

    void StartBody(bool follows);
    void FollowBody(RequestBody::Status status);
    void Refuse(int status, Bytes text);
    Buffer& answer() { return *this; }

    FcgiConnection& connection_;
    std::string peer_;  // the client's, as the gateway says

    struct Request {
        State state = State::kNone;
        uint16_t id = 0;
        Exchange* exchange = nullptr;  // null: answered, or given up
        bool too_large = false;        // the parameters
        bool paused = false;           // its worker waits for the gateway
        uint64_t received = 0;         // of the body
    };
    Request r_;
};

}  // namespace rr::http
