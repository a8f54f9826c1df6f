// RpcServer: the listener and the clients of the RPC port.
//
// Thread: its loop.
// Owns:   listener, connections, running calls. Borrows the methods.
// Fails:  never; running out of descriptors is logged and waited out.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/log/repeated.hpp"
#include "core/net/listener.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"
#include "core/rpc/calls.hpp"
#include "plugins/rpc/config.hpp"
#include "plugins/rpc/connection.hpp"

namespace rr::rpc {

class RpcServer final : private LoopBound, private Flushable {
public:
    RpcServer(Loop& loop, const RpcConfig& config, Methods& methods, const log::Logger& log);
    ~RpcServer();

    // Takes connections from now on.
    void Accept(std::unique_ptr<net::Listener> listener);

    // Closes the listener, answers what runs with an error, sends what is queued to clients that
    // read, and closes all connections. closed: once, soon.
    void Close(Deadline deadline, Callback<void()> closed);

    size_t connections() const { return connections_.size(); }

    // For connections.
    using LoopBound::loop;
    Calls& calls() { return calls_; }
    uint32_t max_payload() const { return config_.max_payload; }
    size_t max_write_queue() const { return config_.max_write_queue; }
    void ReportBad(const char* problem, const net::Stream& stream);
    void ReportUnread(const net::Stream& stream);
    // Deletes it at the end of this turn.
    void Remove(Connection& connection);

private:
    void Add(int descriptor, net::Stream::Kind kind);
    void OnTurnEnd() override;
    void FinishClose();

    const RpcConfig config_;
    log::Logger log_;
    log::Repeated accept_trouble_;
    log::Repeated bad_request_;
    log::Repeated unread_;
    Calls calls_;
    std::unique_ptr<net::Listener> listener_;
    std::list<std::unique_ptr<Connection>> connections_;
    std::list<std::unique_ptr<Connection>> removed_;  // until the turn ends
    net::Timer patience_;                             // of Close with clients that do not read
    Callback<void()> closed_;
};

}  // namespace rr::rpc
