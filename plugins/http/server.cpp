#include "plugins/http/server.hpp"

#include <utility>

#include "plugins/http/connection.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/fcgi_connection.hpp"
#include "plugins/http/proxy_client.hpp"

namespace rr::http {

HttpServer::HttpServer(Loop& loop, const HttpConfig& config, const log::Logger& log,
                       EventBus& events, File::Owner upload_owner,
                       std::unique_ptr<pool::WorkerPool> pool, MiddlewareChain middleware,
                       std::vector<std::unique_ptr<pool::WorkerPool>> other_pools)
    : LoopBound(loop),
      config_(config),
      log_(log),
      events_(events),
      middleware_(std::move(middleware)),
      answer_tools_{config, {}, {}, {}, {}, !middleware_.empty() || !config.ssl.hsts.empty()},
      body_tools_{loop,
                  config,
                  config.uploads.dir.empty() ? TemporaryDirectory() : config.uploads.dir,
                  upload_owner,
                  {},
                  0},
      troubles_(log),
      failed_handshakes_(log, log::Level::kWarn, "handshake failed"),
      strangers_(log, log::Level::kDebug, "handshake failed"),
      pool_(std::move(pool)),
      other_pools_(std::move(other_pools)),
      tick_(loop, [this] { Tick(); }) {}

HttpServer::~HttpServer() {
    for (auto& list : waiting_) {
        list.Each([this](Client& client) { Remove(client); });
    }
    exchanges_.Each([](Exchange& exchange) { delete &exchange; });
}

pool::WorkerPool& HttpServer::PoolFor(const RequestHead& head) {
    for (size_t i = 0; i < config_.routes.size(); ++i) {
        if (config_.routes[i].Matches(head)) {
            return *other_pools_[i];
        }
    }
    return *pool_;
}

void HttpServer::Accept(Speech speech, std::unique_ptr<net::Listener> listener) {
    AssertInLoop();
    if (speech == Speech::kHttps && tls_port_ == 0) {
        tls_port_ = listener->address().port;
    }
    listeners_.push_back(std::move(listener));
    listeners_.back()->Accept(
        [this, speech](int descriptor, net::Stream::Kind kind) { Add(descriptor, kind, speech); },
        [this](const std::string& text) { OnAcceptTrouble(text); });
}

void HttpServer::OnAcceptTrouble(const std::string& text) {
    troubles_.Report(loop_.NowMilliseconds(), "accept failed, trying again", text,
                     UnixNanoseconds(), 0);
}

void HttpServer::Add(int descriptor, net::Stream::Kind kind, Speech speech) {
    bool secure = speech == Speech::kHttps;
    auto stream = std::make_unique<net::Stream>(loop_, kind, descriptor, nullptr);
    Client* client;  // Remove() deletes it
    if (speech == Speech::kFastCgi) {
        client = new FcgiConnection(*this, std::move(stream));
    } else if (SendsProxyHeader(*stream, kind)) {
        client = new ProxyClient(*this, std::move(stream), secure);
    } else {
        if (secure) {
            stream->Secure(tls_, {});
        }
        client = new Connection(*this, std::move(stream));
    }
    if (++connections_ == 1) {
        tick_.Repeat(draining_ ? kTickDraining : kTick);
    }
    client->Start();
}

bool HttpServer::SendsProxyHeader(const net::Stream& stream, net::Stream::Kind kind) const {
    const ProxyProtocolConfig& proxy = config_.proxy_protocol;
    // Who may connect to a Unix socket is said by its file.
    if (!proxy.listen || proxy.trusted.empty() || kind == net::Stream::Kind::kPipe) {
        return proxy.listen;
    }
    std::string name = stream.PeerName();
    Bytes host;
    auto ip = PeerHost(name, host) ? net::ParseIp(host) : std::nullopt;
    return ip && net::Contains(proxy.trusted, *ip);
}

void HttpServer::Announce(Client& client) {
    client.announced = true;
    if (events_.connection) {
        events_.connection.Emit({ConnectionPhase::kOpened, "http", client.peer()});
    }
}

void HttpServer::OnHandshakeFailed(const std::string& peer, std::string_view why) {
    bool stranger = why.find("does not speak TLS") != std::string_view::npos ||
                    why.find("left before the handshake") != std::string_view::npos;
    log::Repeated& log = stranger ? strangers_ : failed_handshakes_;
    log.Report(Clock::now(), {{"remote_address", peer}, {"reason", why}});
}

void HttpServer::Touch(Client& client, Wait wait) {
    list(wait).Touch(client);
    client.wait = wait;
    client.since_ms = loop_.NowMilliseconds();
}

void HttpServer::Replace(Client& client, Client& by) {
    Touch(by, Wait::kFirst);
    by.announced = client.announced;
    client.Unlink();
    delete &client;
}

void HttpServer::Remove(Client& client) {
    if (client.announced && events_.connection) {
        events_.connection.Emit({ConnectionPhase::kClosed, "http", client.peer()});
    }
    client.Unlink();
    --connections_;
    delete &client;
}

void HttpServer::Tick() {
    int64_t now = loop_.NowMilliseconds();
    troubles_.Tick(now);
    failed_handshakes_.Settle(Clock::now());
    strangers_.Settle(Clock::now());
    Expire(Wait::kFirst, config_.timeouts.header);
    Expire(Wait::kHead, config_.timeouts.header);
    Expire(Wait::kBody, config_.timeouts.body);
    Expire(Wait::kIdle, config_.timeouts.idle);
    int64_t write_ms = config_.timeouts.write / std::chrono::milliseconds(1);
    auto tick = [now, write_ms](Client& client) { client.OnTick(now, write_ms); };
    list(Wait::kBusy).Each(tick);
    list(Wait::kLinger).Each(tick);
    if (draining_ && now - drain_ms_ >= kDrainGraceMs) {
        ExpireAll(Wait::kFirst);
        ExpireAll(Wait::kIdle);
    }
    if (closing_) {
        CheckClosed();
        return;
    }
    CheckDrained();
    if (connections_ == 0 && !draining_) {
        tick_.Disarm();
    }
}

// The list is sorted by the time of the last touch: only its front can be overdue.
void HttpServer::Expire(Wait wait, Duration limit) {
    int64_t oldest = loop_.NowMilliseconds() - limit / std::chrono::milliseconds(1);
    auto& waiting = list(wait);
    while (limit > Duration::zero() && !waiting.empty() && waiting.front().since_ms <= oldest) {
        waiting.front().OnTimeout();
    }
}

void HttpServer::ExpireAll(Wait wait) {
    list(wait).Each([this](Client& client) { Remove(client); });
}

void HttpServer::Drain(Deadline deadline, Callback<void()> drained) {
    AssertInLoop();
    draining_ = true;
    drain_deadline_ = deadline;
    drain_ms_ = loop_.NowMilliseconds();
    drained_ = std::move(drained);
    for (auto& listener : listeners_) {
        listener->Drain();
    }
    listeners_.clear();
    tick_.Repeat(kTickDraining);
    for (auto& list : waiting_) {
        list.Each([](Client& client) { client.OnDrain(); });
    }
}

void HttpServer::CheckDrained() {
    if (draining_ && drained_ && (connections_ == 0 || Clock::now() >= drain_deadline_)) {
        tick_.Disarm();
        auto drained = std::move(drained_);
        drained_ = nullptr;
        drained();
    }
}

void HttpServer::Close(Deadline deadline, Callback<void()> closed) {
    AssertInLoop();
    draining_ = true;
    drained_ = nullptr;
    closing_ = true;
    closed_ = std::move(closed);
    listeners_.clear();
    // The pools first: what still runs or waits gets its answer, be it a 503.
    open_pools_ = 1 + other_pools_.size();
    pool_->Close(deadline, [this] { OnPoolClosed(); });
    for (auto& pool : other_pools_) {
        pool->Close(deadline, [this] { OnPoolClosed(); });
    }
}

void HttpServer::OnPoolClosed() {
    --open_pools_;
    // The next tick comes after the last answers were flushed.
    tick_.Repeat(kTickDraining);
}

void HttpServer::CheckClosed() {
    if (open_pools_ > 0) {
        return;
    }
    for (auto& waiting : waiting_) {
        waiting.Each([this](Client& client) { Remove(client); });
    }
    // Uploads are deleted by helper threads: they must be done before the process ends.
    if (body_tools_.writers == 0 && closed_) {
        tick_.Disarm();
        auto closed = std::move(closed_);
        closed_ = nullptr;
        closed();
    }
}

Exchange& HttpServer::TakeExchange() {
    Exchange* exchange;
    if (spare_exchanges_.empty()) {
        exchange = new Exchange(*this);
    } else {
        exchange = spare_exchanges_.back().release();
        spare_exchanges_.pop_back();
    }
    exchanges_.Touch(*exchange);
    return *exchange;
}

void HttpServer::GiveBack(Exchange& exchange) {
    exchange.Unlink();
    std::unique_ptr<Exchange> given(&exchange);
    if (spare_exchanges_.size() < kSpareExchanges) {
        spare_exchanges_.push_back(std::move(given));
    }
}

Buffer HttpServer::TakeBuffer() {
    if (spare_buffers_.empty()) {
        return Buffer(kBuffer);
    }
    Buffer buffer = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffer;
}

void HttpServer::GiveBuffer(Buffer buffer) {
    if (buffer.capacity() > 0 && buffer.capacity() <= kKeepBuffer &&
        spare_buffers_.size() < kSpareBuffers) {
        buffer.Clear();
        spare_buffers_.push_back(std::move(buffer));
    }
}

}  // namespace rr::http
