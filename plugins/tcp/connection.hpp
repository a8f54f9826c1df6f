// Connection: one client of a stream server (TCP, TLS, Unix), from its accept to its CLOSE event.
//
//   kHandshake -> kAccepted -> kReading <-> kExecuting -> kWriting -> kReading ... -> kClosing
//
//   kHandshake  TLS and the PROXY header; only where configured
//   kAccepted   CONNECTED is with a worker, or waits for one; nothing is read yet
//   kReading    the client's turn
//   kExecuting  DATA is with a worker, or waits for one; at most one read is taken meanwhile
//   kWriting    the client has much to read before it may send more; no worker is held
//   kClosing    the conversation is over: the socket lingers or is gone, CLOSE is on its way
//
// One event at a time: replies are written in order, events come in the order of the bytes. A worker
// may answer an event several times or not at all; nothing counts after CLOSE or WRITECLOSE.
//
// Thread: its loop. An idle one holds no buffer.
// Owns:   its stream, which may end before it does. The endpoint owns it, and deletes it in Remove.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/list.hpp"
#include "core/base/loop.hpp"
#include "core/base/uuid.hpp"
#include "core/net/stream.hpp"
#include "core/pool/job.hpp"
#include "plugins/tcp/context.hpp"
#include "plugins/tcp/inbox.hpp"

namespace rr::tcp {

class Endpoint;

// What a connection waits for: each has its list in the endpoint, and its limit.
enum class Wait : uint8_t {
    kHandshake,
    kClient,  // the next bytes
    kWorker,
    kWrite,   // the client reads what we wrote
    kLinger,  // the client closes
    kCount,
};

class Connection final : public Linked,
                         private net::StreamHandler,
                         private pool::JobSink,
                         private Flushable {
public:
    Connection(Endpoint& endpoint, net::Stream::Kind kind, int descriptor);
    ~Connection();

    void Start();

    // For the endpoint.
    void OnTimeout();             // its wait was too long
    void OnTick(int64_t now_ms);  // once per tick, where it may wait for the client to read
    void Hurry();                 // little of the stop's time is left
    void OnDraining();            // the server stops: it may finish what it is doing
    void Close();                 // tcp.Close, and every orderly end
    void Cut();                   // the pool is gone: no CLOSE any more
    // tcp.Write. False: the client does not read what is there already.
    bool Push(Bytes bytes);

    const Uuid& uuid() const { return uuid_; }
    // As workers get it: with or without the port.
    Bytes remote_addr() const;
    int64_t connected_unix_ns() const { return connected_unix_ns_; }
    uint64_t bytes_in() const { return bytes_in_; }
    uint64_t bytes_out() const { return bytes_out_; }

    int64_t since_ms = 0;  // when it was last touched; kept by the endpoint

private:
    enum class State : uint8_t { kHandshake, kAccepted, kReading, kExecuting, kWriting, kClosing };

    static constexpr size_t kWriteLow = 64 * 1024;  // unread by the client: reading goes on below
    static constexpr size_t kLingerMost = 1024 * 1024;  // dropped while the client is still sending
    static constexpr int64_t kLingerMs = 2'000;
    static constexpr int64_t kLingerDrainingMs = 400;
    static constexpr int64_t kStuckMs = 10'000;  // without progress of a client that is waited for
    static constexpr int64_t kStuckDrainingMs = 1'000;

    // net::StreamHandler
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;
    void OnSecured() override;
    // pool::JobSink
    void OnHead(const pool::AnswerHead& head) override;
    bool OnChunk(Bytes body) override;
    void OnDone(const pool::JobResult& result) override;
    std::string Summary() const override;
    // Flushable
    void OnTurnEnd() override;

    void ReadHandshake(size_t size);
    void Enter(State state, Wait wait);
    Origin origin() const;
    void Keep(size_t size);
    void CountIn(size_t size);
    bool TakeMessage();
    void Dispatch(EventKind kind, size_t context_size);
    void SendConnected();
    void Proceed();
    void Read();
    void OnWritable();
    void Reject(std::string_view why);
    void Drop(bool abort);
    void FinishLinger();
    void LetWorkerGo();
    void SendClose();
    void RemoveIfOver();

    Endpoint& endpoint_;
    std::optional<net::Stream> stream_;  // gone: the socket is closed
    std::string peer_;                   // `127.0.0.1:40000`
    Uuid uuid_;
    int64_t connected_unix_ns_;
    uint64_t bytes_in_ = 0;
    uint64_t bytes_out_ = 0;

    Buffer header_;  // of PROXY, while it is not complete
    Inbox inbox_;

    // The event that is with the pool.
    Buffer event_;
    pool::Ticket ticket_;
    EventKind kind_ = EventKind::kConnected;

    State state_ = State::kHandshake;
    bool in_flight_ = false;  // an event is with the pool
    bool delivered_ = false;  // a worker knows this connection: it gets CLOSE
    bool close_sent_ = false;
    bool eof_ = false;            // the client has sent its last byte
    bool close_wanted_ = false;   // a reply said so
    bool takes_body_ = false;     // the answer that is being read is written to the client
    bool in_stream_ = false;      // further frames of it follow
    bool stream_writes_ = false;  // what a frame of it without a verb means
    bool paused_ = false;         // the worker's output waits for the client
    bool lingers_ = false;
    size_t dropped_ = 0;       // while it lingers
    size_t untaken_ = 0;       // at the last tick
    int64_t progress_ms_ = 0;  // when untaken_ last changed
};

}  // namespace rr::tcp
