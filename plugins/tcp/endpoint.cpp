#include "plugins/tcp/endpoint.hpp"

#include <utility>

#include "plugins/tcp/event_error.hpp"
#include "plugins/tcp/server.hpp"

namespace rr::tcp {

Endpoint::Endpoint(TcpServer& server, const ServerConfig& config, ServerStats& stats,
                   std::shared_ptr<net::TlsContext> tls)
    : server_(server),
      config_(config),
      stats_(stats),
      troubles_(server.log()),
      tls_(std::move(tls)) {}

Endpoint::~Endpoint() {
    for (auto& waiting : waiting_) {
        waiting.Each([](Connection& connection) {
            connection.Unlink();
            delete &connection;
        });
    }
}

const log::Logger& Endpoint::log() const { return server_.log(); }

void Endpoint::Accept(std::unique_ptr<net::Listener> listener) {
    listener_ = std::move(listener);
    listener_->Accept([this](int descriptor, net::Stream::Kind kind) { Add(descriptor, kind); },
                      [this](const std::string& text) {
                          troubles_.accept.Report(Clock::now(), {{"error", text}});
                      });
}

void Endpoint::Add(int descriptor, net::Stream::Kind kind) {
    if (stats_.connections.value() >= config_.max_connections) {
        stats_.refused.Add();
        troubles_.crowd.Report(
            Clock::now(), {{"server", config_.name}, {"max_connections", config_.max_connections}});
        net::Stream(server_.loop(), kind, descriptor, nullptr);  // closes it
        return;
    }
    auto* connection = new Connection(*this, kind, descriptor);  // Remove() deletes it
    ++count_;
    stats_.connections.Add();
    stats_.accepted.Add();
    Touch(*connection, Wait::kHandshake);
    server_.OnAdded();
    connection->Start();
}

void Endpoint::Touch(Connection& connection, Wait wait) {
    list(wait).Touch(connection);
    connection.since_ms = server_.loop().NowMilliseconds();
}

void Endpoint::OnConnected(Connection& connection) {
    open_.emplace(connection.uuid(), &connection);
    server_.OnOpened(connection.remote_addr());
}

void Endpoint::OnClosing(Connection& connection) {
    stats_.connections.Subtract();
    if (open_.erase(connection.uuid()) > 0) {
        server_.OnClosed(connection.remote_addr());
    }
}

void Endpoint::OnHandshakeFailed(std::string_view peer, std::string_view why) {
    stats_.refused.Add();
    troubles_.handshake.Report(Clock::now(),
                               {{"server", config_.name}, {"remote_addr", peer}, {"reason", why}});
}

void Endpoint::OnEventFailed(const Connection& connection, EventKind kind,
                             const pool::JobResult& result) {
    stats_.failed.Add();
    troubles_.failed.Report(Clock::now(), {{"server", config_.name},
                                           {"event", NameOf(kind)},
                                           {"remote_addr", connection.remote_addr()},
                                           {"error", DescribeFailure(result)}});
}

void Endpoint::Remove(Connection& connection) {
    connection.Unlink();
    --count_;
    delete &connection;
    server_.OnRemoved();
}

Connection* Endpoint::Find(const Uuid& uuid) {
    auto found = open_.find(uuid);
    return found == open_.end() ? nullptr : found->second;
}

// The list is sorted by the time of the last touch: only its front can be overdue.
void Endpoint::Expire(Wait wait, int64_t oldest_ms) {
    auto& waiting = list(wait);
    while (!waiting.empty() && waiting.front().since_ms <= oldest_ms) {
        waiting.front().OnTimeout();
    }
}

void Endpoint::Tick(Instant now, int64_t now_ms) {
    troubles_.Settle(now);
    Expire(Wait::kHandshake, now_ms - kHandshakeMs);
    if (config_.idle_timeout > Duration::zero()) {
        Expire(Wait::kClient, now_ms - config_.idle_timeout / std::chrono::milliseconds(1));
    }
    auto tick = [now_ms](Connection& connection) { connection.OnTick(now_ms); };
    if (config_.write_timeout > Duration::zero()) {
        list(Wait::kClient).Each(tick);  // what was pushed to them may be stuck
    }
    list(Wait::kWorker).Each(tick);
    list(Wait::kWrite).Each(tick);
    list(Wait::kLinger).Each(tick);
}

void Endpoint::Drain() {
    if (listener_) {
        listener_->Drain();
        listener_.reset();
    }
    for (Wait wait : {Wait::kHandshake, Wait::kClient}) {
        list(wait).Each([](Connection& connection) { connection.OnDraining(); });
    }
}

void Endpoint::Hurry() {
    for (auto& waiting : waiting_) {
        waiting.Each([](Connection& connection) { connection.Hurry(); });
    }
}

void Endpoint::Close() {
    listener_.reset();
    for (auto& waiting : waiting_) {
        waiting.Each([](Connection& connection) { connection.Cut(); });
    }
}

}  // namespace rr::tcp
