#include "plugins/rpc/server.hpp"

#include <algorithm>
#include <utility>

namespace rr::rpc {
namespace {

constexpr Duration kPatience = std::chrono::milliseconds(500);

}  // namespace

RpcServer::RpcServer(Loop& loop, const RpcConfig& config, Methods& methods, const log::Logger& log)
    : LoopBound(loop),
      config_(config),
      log_(log),
      accept_trouble_(log, log::Level::kError, "cannot accept connections"),
      bad_request_(log, log::Level::kDebug, "connection closed: this is no RPC request"),
      unread_(log, log::Level::kWarn,
              "connection closed: the client does not read its answers (rpc.max_write_queue)"),
      calls_(methods),
      patience_(loop, [this] { connections_.clear(), FinishClose(); }) {}

RpcServer::~RpcServer() {
    listener_.reset();
    connections_.clear();
    removed_.clear();
    loop_.ForgetTurnEnd(*this);
}

void RpcServer::Accept(std::unique_ptr<net::Listener> listener) {
    listener_ = std::move(listener);
    listener_->Accept([this](int descriptor, net::Stream::Kind kind) { Add(descriptor, kind); },
                      [this](const std::string& text) {
                          accept_trouble_.Report(loop_.Now(), {{"error", text}});
                      });
}

void RpcServer::Add(int descriptor, net::Stream::Kind kind) {
    connections_.push_front(std::make_unique<Connection>(*this, kind, descriptor));
    connections_.front()->place = connections_.begin();
}

void RpcServer::Remove(Connection& connection) {
    removed_.splice(removed_.end(), connections_, connection.place);
    loop_.AtTurnEnd(*this);
}

void RpcServer::OnTurnEnd() {
    removed_.clear();
    if (closed_ && connections_.empty()) {
        FinishClose();
    }
}

void RpcServer::Close(Deadline deadline, Callback<void()> closed) {
    closed_ = std::move(closed);
    listener_.reset();
    for (auto next = connections_.begin(); next != connections_.end();) {
        Connection& connection = **next++;  // it may leave the list
        connection.Finish("rpc: the server is stopping");
    }
    patience_.Arm(std::clamp(Duration(deadline - Clock::now()), Duration::zero(), kPatience));
    loop_.AtTurnEnd(*this);
}

void RpcServer::FinishClose() {
    patience_.Disarm();
    if (auto closed = std::exchange(closed_, nullptr)) {
        closed();
    }
}

void RpcServer::ReportBad(const char* problem, const net::Stream& stream) {
    if (log_.Enabled(log::Level::kDebug)) {
        bad_request_.Report(loop_.Now(), {{"reason", problem}, {"client", stream.PeerName()}});
    }
}

void RpcServer::ReportUnread(const net::Stream& stream) {
    unread_.Report(loop_.Now(), {{"client", stream.PeerName()}});
}

}  // namespace rr::rpc
