// TcpRpc: the RPC methods tcp.{Close, Write, Broadcast, List, Stats}: anybody can talk to a client,
// not only the worker that runs its event.
//
// Thread: main.
// Owns:   nothing. Borrows the serving and the counters for life.
// Fails:  through the reply.
#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/base/loop.hpp"
#include "core/pool/serving.hpp"
#include "plugins/tcp/server.hpp"
#include "plugins/tcp/stats.hpp"

namespace rr::tcp {

class TcpRpc final : public RpcService {
public:
    // stats: in the order of the configuration.
    TcpRpc(Loop& main, Loop& data, pool::Serving<TcpServer>& serving,
           const std::deque<ServerStats>& stats)
        : main_(main), data_(data), serving_(serving), stats_(stats) {}

    std::string_view rpc_name() const override { return "tcp"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    // Runs ask(server) on the data loop and hands its Result to answer(reply, result) at home.
    template <class Ask, class Answer>
    void OnServer(RpcReply reply, Ask ask, Answer answer);

    void Close(const RpcArgument& argument, RpcReply reply);
    void Write(const RpcArgument& argument, RpcReply reply);
    void Broadcast(const RpcArgument& argument, RpcReply reply);
    void List(const RpcArgument& argument, RpcReply reply);
    void Stats(RpcReply reply) const;

    Loop& main_;
    Loop& data_;
    pool::Serving<TcpServer>& serving_;
    const std::deque<ServerStats>& stats_;
};

}  // namespace rr::tcp
