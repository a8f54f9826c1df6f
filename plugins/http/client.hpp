// Client: one accepted connection, whatever it speaks. The server keeps it in the list of what it
// waits for, and ends it when that takes too long.
//
// Thread: its loop.
// Owns:   its stream. The server owns it, and deletes it in Remove.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/list.hpp"
#include "core/net/stream.hpp"

namespace rr::http {

// What a connection waits for: each has its list in the server, and its limit.
enum class Wait : uint8_t {
    kFirst,   // the first byte of the first request; before it the TLS handshake, a proxy's header
    kHead,    // the rest of a head
    kBody,    // more of a body
    kBusy,    // a worker; or the client takes its answer
    kIdle,    // the next request
    kLinger,  // the client closes
    kCount,
};

// A client that has got its last answer has so long to take it, and may still send so much, unread.
constexpr int64_t kLingerMs = 2000;
constexpr size_t kLingerMost = 1024 * 1024;

// Does the client take what waits for it? Bytes that the kernel holds count: a slow one that takes
// some of them is alive.
class WriteWatch {
public:
    // Once per tick. waiting: something is there for the client. sent: bytes that were given to the
    // stream so far, or always 0. True: nothing moved for `most_ms` (0: never).
    bool Stuck(const net::Stream& stream, bool waiting, uint64_t sent, int64_t now_ms,
               int64_t most_ms) {
        if (!waiting) {
            since_ms_ = now_ms;
            return false;
        }
        size_t untaken = stream.Untaken();
        if (untaken != untaken_ || sent != sent_) {
            untaken_ = untaken;
            sent_ = sent;
            since_ms_ = now_ms;
        }
        return most_ms > 0 && now_ms - since_ms_ >= most_ms;
    }

private:
    size_t untaken_ = 0;
    uint64_t sent_ = 0;
    int64_t since_ms_ = 0;  // when that last changed
};

class Client : public Linked {
public:
    virtual ~Client() = default;

    virtual void Start() = 0;
    // `127.0.0.1:40000`
    virtual const std::string& peer() const = 0;
    // The limit of its wait has passed.
    virtual void OnTimeout() = 0;
    // Once per tick while in the busy or the linger list; write_ms: longest time without progress.
    virtual void OnTick(int64_t now_ms, int64_t write_ms) = 0;
    // The server begins to drain: what has not begun need not begin.
    virtual void OnDrain() {}

    // The event bus heard of it, and is going to hear of its end.
    bool announced = false;
    // Kept by the server, as is:
    Wait wait = Wait::kFirst;
    int64_t since_ms = 0;  // when it was last touched
};

}  // namespace rr::http
