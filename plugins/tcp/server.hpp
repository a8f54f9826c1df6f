// TcpServer: the data loop's side of the plugin: one pool, and every server of the section in front
// of it.
//
// Thread: its loop, the constructor and destructor too.
// Owns:   the pool, the endpoints, spare buffers, the one timer of all limits.
// Fails:  through Result, with texts for the caller of an RPC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/events.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/uuid.hpp"
#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "core/pool/pool.hpp"
#include "plugins/tcp/config.hpp"
#include "plugins/tcp/endpoint.hpp"
#include "plugins/tcp/stats.hpp"
#include "plugins/tcp/udp_endpoint.hpp"

namespace rr::tcp {

// What a server of the section listens on, bound before the loop knows of it.
struct Listening {
    const ServerConfig* config = nullptr;
    ServerStats* stats = nullptr;
    std::unique_ptr<net::Listener> listener;    // or
    std::unique_ptr<net::Datagrams> datagrams;  // one of the two
    std::shared_ptr<net::TlsContext> tls;
};

struct ConnectionInfo {
    std::string uuid;
    std::string server;
    std::string remote_addr;
    int64_t connected_unix_ns = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
};

class TcpServer final : private LoopBound {
public:
    TcpServer(Loop& loop, const TcpConfig& config, const log::Logger& log, EventBus& events,
              std::unique_ptr<pool::WorkerPool> pool);
    ~TcpServer();

    void Open(std::vector<Listening> listening);

    // ---- over RPC
    // Closes a connection; nothing happens if there is none of this name.
    void CloseConnection(const Uuid& uuid);
    // target: a connection's uuid, or the address of a recent sender of datagrams.
    Result<void> Write(std::string_view target, std::string_view server, Bytes bytes);
    // To all connections of a server, of all servers if it has no name; the number of them.
    Result<uint64_t> Broadcast(std::string_view server, Bytes bytes);
    Result<std::vector<ConnectionInfo>> List(std::string_view server);

    // New connections of the config's server use it.
    void SetTls(const ServerConfig& config, std::shared_ptr<net::TlsContext> tls);

    // Listens no more, finishes what runs, tells workers of each end. drained: when the last
    // connection has gone, or at the deadline.
    void Drain(Deadline deadline, Callback<void()> drained);
    // Closes the pool, then what is left. closed: once, when nothing is.
    void Close(Deadline deadline, Callback<void()> closed);

    // For endpoints and connections.
    using LoopBound::loop;
    const TcpConfig& config() const { return config_; }
    const log::Logger& log() const { return log_; }
    pool::WorkerPool& pool() { return *pool_; }
    bool draining() const { return draining_; }
    Buffer TakeBuffer();
    void GiveBuffer(Buffer buffer);
    void OnAdded();
    void OnOpened(Bytes remote_addr);
    void OnClosed(Bytes remote_addr);
    void OnRemoved();

private:
    static constexpr Duration kTick = std::chrono::milliseconds(200);
    static constexpr Duration kHurry = std::chrono::seconds(2);  // for the last CLOSE events
    static constexpr size_t kSpareBuffers = 512;
    static constexpr size_t kBuffer = 1024;
    static constexpr size_t kKeepBuffer = 64 * 1024;  // larger ones are not kept

    Result<void> CheckName(std::string_view server) const;
    size_t Busy() const;
    void Tick();
    void CheckDrained();
    void OnPoolClosed();

    const TcpConfig& config_;
    const log::Logger log_;
    EventBus& events_;
    std::vector<Buffer> spare_;
    std::unique_ptr<pool::WorkerPool> pool_;
    net::Timer tick_;
    std::vector<std::unique_ptr<Endpoint>> endpoints_;
    std::vector<std::unique_ptr<UdpEndpoint>> udp_;
    bool draining_ = false;
    Deadline drain_deadline_{};
    Instant hurry_;  // from then on nobody is waited for
    Callback<void()> drained_;
    Callback<void()> closed_;
};

}  // namespace rr::tcp
