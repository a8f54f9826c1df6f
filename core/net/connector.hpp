// Connector: brings one outgoing connection about, without keeping the loop: the name is looked up on
// a helper thread, the connection is awaited.
//
//   Connector connector(loop);
//   connector.Connect(address, std::chrono::seconds(5), [](Result<Connection> made) { ... });
//   Stream stream(loop, made->kind, made->descriptor, &handler);
//
// Thread: its loop. LoopBound.
// Owns:   the attempt that runs and its socket, until it hands it over.
// Fails:  through made: kNotFound for a name nobody knows, kClosed if nobody listens, kTimeout,
//         kDenied, kIo. The text begins with the address.
#pragma once

#include <memory>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/address.hpp"
#include "core/net/stream.hpp"

namespace rr::net {

// A connected, non-blocking socket; whoever has it closes it.
struct Connection {
    int descriptor;
    Stream::Kind kind;
};

class Connector final : private LoopBound {
public:
    using Made = Callback<void(Result<Connection>)>;

    explicit Connector(Loop& loop) : LoopBound(loop) {}
    ~Connector() { Cancel(); }
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    // An address without a host is this machine. `limit` counts for the name and the connection
    // together. made: exactly once unless cancelled, never inside the call; the connector may be
    // destroyed or used again from there.
    // REQUIRES: not busy.
    void Connect(const Address& address, Duration limit, Made made);

    // Ends the attempt that runs, if any; its `made` is not called.
    void Cancel();
    bool busy() const { return attempt_ != nullptr; }

private:
    struct Attempt;
    std::shared_ptr<Attempt> attempt_;
};

}  // namespace rr::net
