#include "plugins/tcp/server.hpp"

#include <algorithm>
#include <utility>

namespace rr::tcp {

TcpServer::TcpServer(Loop& loop, const TcpConfig& config, const log::Logger& log, EventBus& events,
                     std::unique_ptr<pool::WorkerPool> pool)
    : LoopBound(loop),
      config_(config),
      log_(log),
      events_(events),
      pool_(std::move(pool)),
      tick_(loop, [this] { Tick(); }) {}

TcpServer::~TcpServer() = default;

void TcpServer::Open(std::vector<Listening> listening) {
    AssertInLoop();
    for (Listening& one : listening) {
        if (one.datagrams) {
            udp_.push_back(std::make_unique<UdpEndpoint>(*this, *one.config, *one.stats,
                                                         std::move(one.datagrams)));
            udp_.back()->Start();
            continue;
        }
        endpoints_.push_back(
            std::make_unique<Endpoint>(*this, *one.config, *one.stats, std::move(one.tls)));
        endpoints_.back()->Accept(std::move(one.listener));
    }
    if (!udp_.empty()) {
        tick_.Repeat(kTick);  // what is dropped is told within a second
    }
}

// ---- over RPC

void TcpServer::CloseConnection(const Uuid& uuid) {
    for (auto& endpoint : endpoints_) {
        if (Connection* connection = endpoint->Find(uuid)) {
            connection->Close();
            return;
        }
    }
}

Result<void> TcpServer::Write(std::string_view target, std::string_view server, Bytes bytes) {
    if (auto known = CheckName(server); !known) {
        return Forward(known);
    }
    Uuid uuid;
    if (Uuid::Parse(target, uuid)) {
        for (auto& endpoint : endpoints_) {
            Connection* connection = endpoint->Find(uuid);
            if (connection == nullptr || (!server.empty() && endpoint->config().name != server)) {
                continue;
            }
            if (!connection->Push(bytes)) {
                return Fail(Errc::kBusy, "the client does not read: " + std::string(target));
            }
            return {};
        }
        return Fail(Errc::kNotFound, "no such connection: " + std::string(target));
    }
    auto peer = net::Peer::Parse(target);
    if (!peer) {
        return Fail(Errc::kInvalid,
                    "neither a uuid nor the address of a sender (ip:port): " + std::string(target));
    }
    for (auto& endpoint : udp_) {
        if (!endpoint->Knows(*peer) || (!server.empty() && endpoint->config().name != server)) {
            continue;
        }
        const char* why = "";
        if (!endpoint->Send(*peer, bytes, why)) {
            return Fail(Errc::kIo, std::string(why) + ": " + std::string(target));
        }
        return {};
    }
    return Fail(Errc::kNotFound, "no datagram came from there lately: " + std::string(target));
}

Result<void> TcpServer::CheckName(std::string_view server) const {
    if (server.empty()) {
        return {};
    }
    std::string names;
    for (const ServerConfig& config : config_.servers) {
        if (config.name == server) {
            return {};
        }
        names.append(names.empty() ? "" : ", ").append(config.name);
    }
    return Fail(Errc::kNotFound, "no such server: " + std::string(server) + "; there is " + names);
}

Result<uint64_t> TcpServer::Broadcast(std::string_view server, Bytes bytes) {
    if (auto known = CheckName(server); !known) {
        return Forward(known);
    }
    uint64_t written = 0;
    for (auto& endpoint : endpoints_) {
        if (server.empty() || endpoint->config().name == server) {
            endpoint->Each([&](Connection& connection) { written += connection.Push(bytes); });
        }
    }
    return written;
}

Result<std::vector<ConnectionInfo>> TcpServer::List(std::string_view server) {
    if (auto known = CheckName(server); !known) {
        return Forward(known);
    }
    std::vector<ConnectionInfo> list;
    for (auto& endpoint : endpoints_) {
        if (!server.empty() && endpoint->config().name != server) {
            continue;
        }
        endpoint->Each([&](Connection& connection) {
            list.push_back({connection.uuid().ToString(), endpoint->config().name,
                            std::string(connection.remote_addr()), connection.connected_unix_ns(),
                            connection.bytes_in(), connection.bytes_out()});
        });
    }
    std::sort(list.begin(), list.end(), [](const ConnectionInfo& a, const ConnectionInfo& b) {
        return a.connected_unix_ns < b.connected_unix_ns;
    });
    return list;
}

void TcpServer::SetTls(const ServerConfig& config, std::shared_ptr<net::TlsContext> tls) {
    for (auto& endpoint : endpoints_) {
        if (&endpoint->config() == &config) {
            endpoint->SetTls(std::move(tls));
            return;
        }
    }
}

// ---- time

void TcpServer::OnAdded() {
    if (Busy() == 1 && udp_.empty() && !draining_) {
        tick_.Repeat(kTick);
    }
}

void TcpServer::OnOpened(Bytes remote_addr) {
    if (events_.connection) {
        events_.connection.Emit({ConnectionPhase::kOpened, "tcp", remote_addr});
    }
}

void TcpServer::OnClosed(Bytes remote_addr) {
    if (events_.connection) {
        events_.connection.Emit({ConnectionPhase::kClosed, "tcp", remote_addr});
    }
}

void TcpServer::OnRemoved() {
    if (draining_) {
        CheckDrained();
    }
}

size_t TcpServer::Busy() const {
    size_t busy = 0;
    for (const auto& endpoint : endpoints_) {
        busy += endpoint->connections();
    }
    for (const auto& endpoint : udp_) {
        busy += endpoint->in_flight();
    }
    return busy;
}

void TcpServer::Tick() {
    Instant now = Clock::now();
    int64_t now_ms = loop_.NowMilliseconds();
    for (auto& endpoint : endpoints_) {
        endpoint->Tick(now, now_ms);
    }
    for (auto& endpoint : udp_) {
        endpoint->Tick(now);
    }
    if (draining_) {
        if (now >= hurry_) {
            for (auto& endpoint : endpoints_) {
                endpoint->Hurry();
            }
        }
        CheckDrained();
    } else if (udp_.empty() && Busy() == 0) {
        tick_.Disarm();
    }
}

Buffer TcpServer::TakeBuffer() {
    if (spare_.empty()) {
        return Buffer(kBuffer);
    }
    Buffer buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
}

void TcpServer::GiveBuffer(Buffer buffer) {
    if (buffer.capacity() > 0 && buffer.capacity() <= kKeepBuffer &&
        spare_.size() < kSpareBuffers) {
        buffer.Clear();
        spare_.push_back(std::move(buffer));
    }
}

// ---- the end

void TcpServer::Drain(Deadline deadline, Callback<void()> drained) {
    AssertInLoop();
    draining_ = true;
    drain_deadline_ = deadline;
    hurry_ = deadline - std::min<Duration>((deadline - Clock::now()) / 4, kHurry);
    drained_ = std::move(drained);
    tick_.Repeat(kTick);
    for (auto& endpoint : endpoints_) {
        endpoint->Drain();
    }
    for (auto& endpoint : udp_) {
        endpoint->Drain();
    }
    CheckDrained();
}

void TcpServer::CheckDrained() {
    if (!drained_ || (Busy() > 0 && Clock::now() < drain_deadline_)) {
        return;
    }
    auto drained = std::move(drained_);
    drained_ = nullptr;
    drained();
}

void TcpServer::Close(Deadline deadline, Callback<void()> closed) {
    AssertInLoop();
    draining_ = true;
    drained_ = nullptr;
    closed_ = std::move(closed);
    pool_->Close(deadline, [this] { OnPoolClosed(); });
}

void TcpServer::OnPoolClosed() {
    tick_.Disarm();
    for (auto& endpoint : endpoints_) {
        endpoint->Close();
    }
    udp_.clear();
    auto closed = std::move(closed_);
    closed_ = nullptr;
    closed();
}

}  // namespace rr::tcp
