// SocketHub: the one listener to which workers connect when `server.relay` is tcp:// or unix://.
//
// Every connection is greeted at once, in parallel, and has a limited time to answer; strangers and
// broken answers are dropped and cost nobody else anything. A worker is recognised by the pid it
// answers with: its own, or that of a descendant (a wrapper shell that did not exec).
//
// Thread: main; Expect and Forget from any thread, `connected` comes on the loop that was named.
// Owns:   the listener and the connections that have not been handed over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/listener.hpp"
#include "relay/handshake.hpp"

namespace rr::relay {

struct HubOptions {
    Dialect dialect = Dialect::kV3;
    int64_t owner = -1;  // uid that may connect to a Unix socket besides us; -1: ours
    Duration handshake_limit = std::chrono::seconds(10);
};

class SocketHub final : private LoopBound {
public:
    struct Connected {
        int descriptor = -1;
        net::Stream::Kind kind = net::Stream::Kind::kTcp;
        PidReply reply;
    };

    // dsn: `tcp://host:port` or `unix://path`.
    static Result<std::unique_ptr<SocketHub>> Open(Loop& main, const std::string& dsn,
                                                   const HubOptions& options);
    ~SocketHub();

    // Waits for the process `pid` to connect.
    void Expect(int64_t pid, Loop& home, Callback<void(Connected)> connected);
    void Forget(int64_t pid);

    const net::Address& address() const { return listener_->address(); }

private:
    class Guest;
    struct Expected {
        Loop* home;
        Callback<void(Connected)> connected;
    };

    SocketHub(Loop& main, std::unique_ptr<net::Listener> listener, const HubOptions& options);
    bool Knows(const Guest* guest) const;
    void Introduce(Guest& guest);
    bool Match(Guest& guest);
    void Drop(Guest& guest);

    const HubOptions options_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for calls that come later
    std::unique_ptr<net::Listener> listener_;
    std::vector<std::unique_ptr<Guest>> guests_;
    std::unordered_map<int64_t, Expected> expected_;
};

}  // namespace rr::relay
