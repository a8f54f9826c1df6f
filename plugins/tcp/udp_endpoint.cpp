#include "plugins/tcp/udp_endpoint.hpp"

#include <utility>

#include "core/pool/pool.hpp"
#include "plugins/tcp/context.hpp"
#include "plugins/tcp/event_error.hpp"
#include "plugins/tcp/server.hpp"

namespace rr::tcp {

UdpEndpoint::UdpEndpoint(TcpServer& server, const ServerConfig& config, ServerStats& stats,
                         std::unique_ptr<net::Datagrams> socket)
    : server_(server),
      config_(config),
      stats_(stats),
      troubles_(server.log()),
      socket_(std::move(socket)) {}

UdpEndpoint::~UdpEndpoint() = default;

void UdpEndpoint::OnDatagram(const net::Peer& peer, Bytes bytes) {
    stats_.accepted.Add();
    stats_.bytes_in.Add(bytes.size());
    Remember(peer);
    if (in_flight_ >= config_.max_datagrams) {
        stats_.dropped.Add();
        troubles_.dropped.Report(
            Clock::now(), {{"server", config_.name}, {"reason", "max_datagrams wait for workers"}});
        return;
    }
    Datagram* datagram;
    if (spare_.empty()) {
        datagram = new Datagram(*this);  // GiveBack() owns it again
    } else {
        datagram = spare_.back().release();
        spare_.pop_back();
    }
    ++in_flight_;
    stats_.events.Add();
    datagram->Run(peer, bytes);
}

void UdpEndpoint::Remember(const net::Peer& peer) {
    auto known = recent_.find(peer);
    if (known != recent_.end()) {
        order_.splice(order_.begin(), order_, known->second);
        return;
    }
    order_.push_front(peer);
    recent_.emplace(peer, order_.begin());
    if (recent_.size() > kRecent) {
        recent_.erase(order_.back());
        order_.pop_back();
    }
}

void UdpEndpoint::Datagram::Run(const net::Peer& peer, Bytes bytes) {
    peer_ = peer;
    std::string name = peer.ToString();
    event_.Clear(kKeepBuffer);
    Uuid uuid = Uuid::Random();
    Origin origin{endpoint_.config_.remote_host ? WithoutPort(name) : Bytes(name),
                  endpoint_.config_.name, uuid};
    size_t context = BeginEvent(origin, EventKind::kData, event_);
    event_.Append(bytes);
    writes_ = in_stream_ = false;
    pool::Job job;
    job.context = event_.data() + pool::kHeadroom;
    job.context_size = static_cast<uint32_t>(context);
    job.body_size = static_cast<uint32_t>(bytes.size());
    job.event = true;
    endpoint_.server_.pool().Exec(job, *this);
}

void UdpEndpoint::Datagram::OnHead(const pool::AnswerHead& head) {
    // A stream's last frame is most often an empty one, and no datagram.
    bool ends = in_stream_ && !head.more && head.body_size == 0;
    if (!in_stream_ || !head.context.empty()) {
        Verb verb = ReadVerb(head.context);
        writes_ = verb.write && !verb.close;
    }
    in_stream_ = head.more;
    writes_ = writes_ && !ends;
    answer_.Clear(kKeepBuffer);
    expected_ = head.body_size;
    if (!writes_) {
        return;
    }
    if (head.body_size == 0) {
        endpoint_.Answer(peer_, "");
    } else if (head.body_size > net::Datagrams::kLargest) {
        writes_ = false;
        endpoint_.stats_.failed.Add();
        endpoint_.troubles_.answer.Report(Clock::now(),
                                          {{"server", endpoint_.config_.name},
                                           {"remote_addr", peer_.ToString()},
                                           {"bytes", head.body_size},
                                           {"reason", "a datagram has at most 65507 bytes"}});
    }
}

bool UdpEndpoint::Datagram::OnChunk(Bytes body) {
    if (!writes_) {
        return true;
    }
    if (answer_.empty() && body.size() == expected_) {
        endpoint_.Answer(peer_, body);
        return true;
    }
    answer_.Append(body);
    if (answer_.size() >= expected_) {
        endpoint_.Answer(peer_, answer_.view());
    }
    return true;
}

void UdpEndpoint::Datagram::OnDone(const pool::JobResult& result) {
    if (result.end != pool::JobEnd::kDone) {
        endpoint_.OnEventFailed(peer_, result);
    }
    endpoint_.GiveBack(*this);
}

std::string UdpEndpoint::Datagram::Summary() const {
    return "DATA " + endpoint_.config_.name + " " + peer_.ToString();
}

bool UdpEndpoint::Send(const net::Peer& peer, Bytes bytes, const char*& why) {
    switch (socket_->Send(peer, bytes)) {
        case net::Datagrams::Sent::kOk: stats_.bytes_out.Add(bytes.size()); return true;
        case net::Datagrams::Sent::kTooLarge: why = "a datagram has at most 65507 bytes"; break;
        case net::Datagrams::Sent::kQueueFull: why = "the queue of the socket is full"; break;
        case net::Datagrams::Sent::kFailed: why = "the system refused it"; break;
    }
    stats_.failed.Add();
    return false;
}

void UdpEndpoint::Answer(const net::Peer& peer, Bytes bytes) {
    const char* why = "";
    if (!Send(peer, bytes, why)) {
        troubles_.answer.Report(Clock::now(), {{"server", config_.name},
                                               {"remote_addr", peer.ToString()},
                                               {"bytes", bytes.size()},
                                               {"reason", why}});
    }
}

void UdpEndpoint::OnEventFailed(const net::Peer& peer, const pool::JobResult& result) {
    stats_.failed.Add();
    if (!ReachedWorker(result.end)) {
        stats_.dropped.Add();
    }
    troubles_.failed.Report(Clock::now(), {{"server", config_.name},
                                           {"event", NameOf(EventKind::kData)},
                                           {"remote_addr", peer.ToString()},
                                           {"error", DescribeFailure(result)}});
}

void UdpEndpoint::GiveBack(Datagram& datagram) {
    std::unique_ptr<Datagram> given(&datagram);
    --in_flight_;
    if (spare_.size() < kSpare) {
        spare_.push_back(std::move(given));
    }
    server_.OnRemoved();
}

void UdpEndpoint::Drain() { socket_->StopReading(); }

}  // namespace rr::tcp
