// Endpoint: one stream server of the section: its listener, its connections, their limits.
//
// Thread: its loop.
// Owns:   listener, connections, the TLS context that new ones get. Borrows the rest.
// Fails:  never; running out of descriptors is logged and waited out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/list.hpp"
#include "core/net/listener.hpp"
#include "core/net/tls.hpp"
#include "core/pool/job.hpp"
#include "plugins/tcp/config.hpp"
#include "plugins/tcp/connection.hpp"
#include "plugins/tcp/stats.hpp"
#include "plugins/tcp/troubles.hpp"

namespace rr::tcp {

class TcpServer;

class Endpoint final {
public:
    // config, stats: outlive it. tls: null without TLS.
    Endpoint(TcpServer& server, const ServerConfig& config, ServerStats& stats,
             std::shared_ptr<net::TlsContext> tls);
    ~Endpoint();

    void Accept(std::unique_ptr<net::Listener> listener);
    // Connections from now on get this one (certificates that were reloaded).
    void SetTls(std::shared_ptr<net::TlsContext> tls) { tls_ = std::move(tls); }
    // Takes what the kernel has accepted, closes the listener; connections end after what they do.
    void Drain();
    // The time for that is running out.
    void Hurry();
    // Closes the listener and every socket.
    void Close();
    void Tick(Instant now, int64_t now_ms);

    // A connection that is open; null: there is none of this name.
    Connection* Find(const Uuid& uuid);
    template <class F>
    void Each(F fn) {
        for (auto& [uuid, connection] : open_) {
            fn(*connection);
        }
    }
    size_t connections() const { return count_; }

    // For connections.
    const ServerConfig& config() const { return config_; }
    TcpServer& server() { return server_; }
    ServerStats& stats() { return stats_; }
    Troubles& troubles() { return troubles_; }
    const log::Logger& log() const;
    const std::shared_ptr<net::TlsContext>& tls() const { return tls_; }
    void Touch(Connection& connection, Wait wait);
    void OnConnected(Connection& connection);
    void OnClosing(Connection& connection);
    void OnHandshakeFailed(std::string_view peer, std::string_view why);
    void OnEventFailed(const Connection& connection, EventKind kind, const pool::JobResult& result);
    // Deletes it.
    void Remove(Connection& connection);

private:
    static constexpr int64_t kHandshakeMs = 10'000;

    void Add(int descriptor, net::Stream::Kind kind);
    void Expire(Wait wait, int64_t oldest_ms);
    List<Connection>& list(Wait wait) { return waiting_[static_cast<size_t>(wait)]; }

    TcpServer& server_;
    const ServerConfig& config_;
    ServerStats& stats_;
    Troubles troubles_;
    std::shared_ptr<net::TlsContext> tls_;
    std::unique_ptr<net::Listener> listener_;
    std::array<List<Connection>, static_cast<size_t>(Wait::kCount)> waiting_;
    std::unordered_map<Uuid, Connection*> open_;  // those between CONNECTED and CLOSE
    size_t count_ = 0;                            // in all of waiting_
};

}  // namespace rr::tcp
