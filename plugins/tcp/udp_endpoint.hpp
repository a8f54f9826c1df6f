// UdpEndpoint: one UDP server of the section. Each datagram is one DATA event with a uuid of its own;
// WRITE sends one datagram back to its sender, other verbs do nothing.
//
// Thread: its loop.
// Owns:   the socket, the datagrams that wait for workers or are with them, the recent senders.
// Fails:  never; what can't be taken or sent is counted and logged.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/uuid.hpp"
#include "core/net/datagrams.hpp"
#include "core/pool/job.hpp"
#include "plugins/tcp/config.hpp"
#include "plugins/tcp/stats.hpp"
#include "plugins/tcp/troubles.hpp"

namespace rr::tcp {

class TcpServer;

class UdpEndpoint final : private net::DatagramHandler {
public:
    UdpEndpoint(TcpServer& server, const ServerConfig& config, ServerStats& stats,
                std::unique_ptr<net::Datagrams> socket);
    ~UdpEndpoint();

    void Start() { socket_->Start(*this); }
    // Reads no more; what was taken is still answered.
    void Drain();
    void Tick(Instant now) { troubles_.Settle(now); }

    // tcp.Write with an address: somebody who sent to us not long ago.
    bool Knows(const net::Peer& peer) const { return recent_.contains(peer); }
    // False, and `why`: it can't be sent.
    bool Send(const net::Peer& peer, Bytes bytes, const char*& why);

    size_t in_flight() const { return in_flight_; }
    const ServerConfig& config() const { return config_; }

private:
    static constexpr size_t kRecent = 10'000;  // senders that are remembered
    static constexpr size_t kKeepBuffer = 4 * 1024;
    static constexpr size_t kSpare = 64;

    struct PeerHash {
        size_t operator()(const net::Peer& peer) const { return peer.Hash(); }
    };

    // One datagram, from its arrival to the end of its event.
    class Datagram final : public pool::JobSink {
    public:
        explicit Datagram(UdpEndpoint& endpoint) : endpoint_(endpoint) {}
        void Run(const net::Peer& peer, Bytes bytes);

    private:
        void OnHead(const pool::AnswerHead& head) override;
        bool OnChunk(Bytes body) override;
        void OnDone(const pool::JobResult& result) override;
        std::string Summary() const override;

        UdpEndpoint& endpoint_;
        net::Peer peer_;
        Buffer event_;
        Buffer answer_;          // pieces of a large one
        uint64_t expected_ = 0;  // bytes of the answer
        bool writes_ = false;
        bool in_stream_ = false;  // further frames of an answer follow; without a verb: as before
    };

    void OnDatagram(const net::Peer& peer, Bytes bytes) override;
    void Remember(const net::Peer& peer);
    void Answer(const net::Peer& peer, Bytes bytes);
    void OnEventFailed(const net::Peer& peer, const pool::JobResult& result);
    void GiveBack(Datagram& datagram);

    TcpServer& server_;
    const ServerConfig& config_;
    ServerStats& stats_;
    Troubles troubles_;
    std::unique_ptr<net::Datagrams> socket_;
    std::vector<std::unique_ptr<Datagram>> spare_;
    size_t in_flight_ = 0;
    std::list<net::Peer> order_;  // the one that sent last is in front
    std::unordered_map<net::Peer, std::list<net::Peer>::iterator, PeerHash> recent_;
};

}  // namespace rr::tcp
