// HttpServer: the HTTP side of one data loop: its listeners, its pool, its connections, and what
// they share. Several loops mean several servers that know nothing of each other.
//
// Thread: its loop, the constructor and destructor too.
// Owns:   listeners, pool, connections, exchanges, spare buffers, the one timer of all timeouts.
//         Borrows the configuration and the bus.
// Fails:  never; running out of descriptors is logged and waited out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/events.hpp"
#include "core/base/file.hpp"
#include "core/base/list.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/log/repeated.hpp"
#include "core/net/listener.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"
#include "core/net/tls.hpp"
#include "core/pool/pool.hpp"
#include "plugins/http/answer_writer.hpp"
#include "plugins/http/body.hpp"
#include "plugins/http/client.hpp"
#include "plugins/http/config.hpp"
#include "plugins/http/exchange.hpp"
#include "plugins/http/middleware.hpp"
#include "plugins/http/trouble_log.hpp"

namespace rr::http {

// What is spoken on a listener's connections.
enum class Speech : uint8_t { kHttp, kHttps, kFastCgi };

class HttpServer final : private LoopBound {
public:
    HttpServer(Loop& loop, const HttpConfig& config, const log::Logger& log, EventBus& events,
               File::Owner upload_owner, std::unique_ptr<pool::WorkerPool> pool,
               MiddlewareChain middleware = {},
               std::vector<std::unique_ptr<pool::WorkerPool>> other_pools = {});
    ~HttpServer();

    // What connections of kHttps get from now on: before the first of them, and when certificates
    // were read anew.
    void SetTls(std::shared_ptr<net::TlsContext> tls) { tls_ = std::move(tls); }

    // Takes connections from now on.
    void Accept(Speech speech, std::unique_ptr<net::Listener> listener);

    // Takes over one connected descriptor.
    void Add(int descriptor, net::Stream::Kind kind, Speech speech = Speech::kHttp);

    // Takes what the kernel has accepted, closes the listeners, lets every connection finish.
    // drained: when the last one has gone, or at the deadline.
    void Drain(Deadline deadline, Callback<void()> drained);

    // Closes the pools and then all connections. closed: once, when nothing is left; deadline binds
    // the workers.
    void Close(Deadline deadline, Callback<void()> closed);

    pool::WorkerPool& pool() { return *pool_; }
    // The one of the first route that matches, else the default one.
    pool::WorkerPool& PoolFor(const RequestHead& head);
    // Null without `http.debug`.
    pool::WorkerPool* debug_pool() { return config_.debug ? other_pools_.back().get() : nullptr; }
    size_t connections() const { return connections_; }

    // For connections and exchanges.
    using LoopBound::loop;
    const HttpConfig& config() const { return config_; }
    const log::Logger& log() const { return log_; }
    EventBus& events() { return events_; }
    AnswerTools& answer_tools() { return answer_tools_; }
    BodyTools& body_tools() { return body_tools_; }
    TroubleLog& troubles() { return troubles_; }
    const MiddlewareChain& middleware() const { return middleware_; }
    const std::shared_ptr<net::TlsContext>& tls() const { return tls_; }
    // Of the first listener with TLS; 0: there is none.
    uint16_t tls_port() const { return tls_port_; }
    bool draining() const { return draining_; }
    // The other end of a connection whose client is `peer`: that one, or a proxy with its header. Empty:
    // a proxy that has gone.
    std::string SenderOf(const net::Stream& stream, const std::string& peer) const {
        return config_.proxy_protocol.listen ? stream.PeerName() : peer;
    }
    // A handshake, or a proxy's header, came to nothing.
    void OnHandshakeFailed(const std::string& peer, std::string_view why);
    // Somebody wants to know about single requests.
    bool records() const { return log_.Enabled(log::Level::kInfo) || events_.request; }

    // Moves a connection to the end of a waiting list.
    void Touch(Client& client, Wait wait);
    // Tells the event bus of a connection whose client is known.
    void Announce(Client& client);
    // `by` goes on in the place of `client`, which is deleted.
    void Replace(Client& client, Client& by);
    // Deletes it.
    void Remove(Client& client);

    Exchange& TakeExchange();
    void GiveBack(Exchange& exchange);
    Buffer TakeBuffer();
    void GiveBuffer(Buffer buffer);

private:
    static constexpr Duration kTick = std::chrono::milliseconds(200);
    static constexpr Duration kTickDraining = std::chrono::milliseconds(50);
    static constexpr int64_t kDrainGraceMs = 1000;  // for a request already on its way
    static constexpr size_t kSpareExchanges = 512;
    static constexpr size_t kSpareBuffers = 512;
    static constexpr size_t kBuffer = 4 * 1024;
    static constexpr size_t kKeepBuffer = 64 * 1024;  // larger ones are not kept

    bool SendsProxyHeader(const net::Stream& stream, net::Stream::Kind kind) const;
    void OnAcceptTrouble(const std::string& text);
    void Tick();
    void Expire(Wait wait, Duration limit);
    void ExpireAll(Wait wait);
    void CheckDrained();
    void OnPoolClosed();
    void CheckClosed();
    List<Client>& list(Wait wait) { return waiting_[static_cast<size_t>(wait)]; }

    // Constant.
    const HttpConfig& config_;
    const log::Logger log_;
    EventBus& events_;
    const MiddlewareChain middleware_;

    // Shared by connections and exchanges.
    AnswerTools answer_tools_;
    BodyTools body_tools_;
    TroubleLog troubles_;
    log::Repeated failed_handshakes_;
    log::Repeated strangers_;  // who does not speak TLS, or only looks whether somebody listens
    std::vector<Buffer> spare_buffers_;
    std::vector<std::unique_ptr<Exchange>> spare_exchanges_;

    std::unique_ptr<pool::WorkerPool> pool_;
    // One for each of config_.routes; the debug pool, if there is one, comes last.
    std::vector<std::unique_ptr<pool::WorkerPool>> other_pools_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::shared_ptr<net::TlsContext> tls_;
    uint16_t tls_port_ = 0;
    net::Timer tick_;

    std::array<List<Client>, static_cast<size_t>(Wait::kCount)> waiting_;
    size_t connections_ = 0;    // in all of waiting_
    List<Exchange> exchanges_;  // taken

    bool draining_ = false;
    int64_t drain_ms_ = 0;  // when it began
    Deadline drain_deadline_{};
    Callback<void()> drained_;
    bool closing_ = false;
    size_t open_pools_ = 0;  // while closing
    Callback<void()> closed_;
};

}  // namespace rr::http
