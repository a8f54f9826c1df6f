// Connection: one client of the RPC port. Reads requests, runs them, queues their answers.
//
// Thread: its loop.
// Owns:   the stream and the part of a request that has come. Borrows the server, which deletes it.
// Fails:  what breaks the protocol or a limit ends this connection and nothing else. A client that
//         is silent is never closed.
#pragma once

#include <list>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/net/stream.hpp"
#include "core/rpc/calls.hpp"
#include "core/rpc/wire.hpp"

namespace rr::rpc {

class RpcServer;

class Connection final : public Caller, private net::StreamHandler {
public:
    Connection(RpcServer& server, net::Stream::Kind kind, int descriptor);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Answers what runs with an error, sends what is queued, then closes.
    void Finish(std::string_view reason);

    std::list<std::unique_ptr<Connection>>::iterator place;  // the server's

private:
    enum class State : uint8_t {
        kOpen,
        kEnded,    // the client sends no more; it still reads
        kLeaving,  // everything is answered: closes when it is sent
        kClosed,   // waits to be deleted
    };

    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;

    Buffer* AnswerBuffer() override;
    void OnAnswered() override;

    size_t RunRequests(Bytes in);
    void Leave();
    void Close();

    RpcServer& server_;
    net::Stream stream_;
    State state_ = State::kOpen;
    Dialect dialect_ = Dialect::kUnknown;
    Buffer input_;           // the beginning of a request whose rest has not come
    size_t missing_ = 0;     // bytes until it is whole, as far as known
    bool borrowed_ = false;  // the read under way goes into the loop's scratch
};

}  // namespace rr::rpc
