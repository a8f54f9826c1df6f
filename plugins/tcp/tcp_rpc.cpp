#include "plugins/tcp/tcp_rpc.hpp"

#include <string>
#include <utility>

namespace rr::tcp {
namespace {

using Kind = RpcKind;

// The order is what the indices below count.
constexpr RpcField kWriteFields[] = {
    {"uuid", {}, Kind::kText},       // or the address of a recent sender of datagrams
    {"data_b64", {}, Kind::kBytes},  // base64 in JSON
    {"server", {}, Kind::kText},     // may be left out
};
constexpr RpcField kBroadcastFields[] = {
    {"server", {}, Kind::kText},  // left out: all servers
    {"data_b64", {}, Kind::kBytes},
};
constexpr RpcField kListFields[] = {{"server", {}, Kind::kText}};  // left out: all servers
constexpr RpcField kConnectionFields[] = {
    {"uuid", {}, Kind::kText},        {"server", {}, Kind::kText},
    {"remote_addr", {}, Kind::kText}, {"connected_at", {}, Kind::kInt},  // ns since 1970
    {"bytes_in", {}, Kind::kUint},    {"bytes_out", {}, Kind::kUint},
};
constexpr RpcField kStatsFields[] = {
    {"server", {}, Kind::kText},    {"address", {}, Kind::kText}, {"connections", {}, Kind::kUint},
    {"accepted", {}, Kind::kUint},  {"refused", {}, Kind::kUint}, {"events", {}, Kind::kUint},
    {"failed", {}, Kind::kUint},    {"dropped", {}, Kind::kUint}, {"bytes_in", {}, Kind::kUint},
    {"bytes_out", {}, Kind::kUint},
};
constexpr RpcShape kWrite{"Write", kWriteFields};
constexpr RpcShape kBroadcast{"Broadcast", kBroadcastFields};
constexpr RpcShape kList{"List", kListFields};
constexpr RpcShape kConnection{"Connection", kConnectionFields};
constexpr RpcShape kStats{"Stats", kStatsFields};

Result<void> NotServing() { return Fail(Errc::kClosed, "tcp is not serving"); }

RpcValue Row(const ConnectionInfo& info) {
    return RpcValue::List{info.uuid,     info.server,   info.remote_addr, info.connected_unix_ns,
                          info.bytes_in, info.bytes_out};
}

}  // namespace

void TcpRpc::Describe(std::vector<RpcMethod>& methods) {
    methods.push_back({"Close", RpcType::Text(), RpcType::Bool(),
                       [this](const RpcArgument& a, RpcReply r) { Close(a, std::move(r)); }});
    methods.push_back({"Write", RpcType::Struct(kWrite), RpcType::Bool(),
                       [this](const RpcArgument& a, RpcReply r) { Write(a, std::move(r)); }});
    methods.push_back({"Broadcast",
                       RpcType::Struct(kBroadcast),
                       {Kind::kUint},
                       [this](const RpcArgument& a, RpcReply r) { Broadcast(a, std::move(r)); }});
    methods.push_back({"List", RpcType::Struct(kList), RpcType::StructList(kConnection),
                       [this](const RpcArgument& a, RpcReply r) { List(a, std::move(r)); }});
    methods.push_back({"Stats", RpcType::Nothing(), RpcType::StructList(kStats),
                       [this](const RpcArgument&, RpcReply r) { Stats(std::move(r)); }});
}

template <class Ask, class Answer>
void TcpRpc::OnServer(RpcReply reply, Ask ask, Answer answer) {
    data_.Post([this, reply = std::move(reply), ask = std::move(ask), answer]() mutable {
        auto result = ask(serving_.server());
        main_.Post([reply = std::move(reply), result = std::move(result), answer]() mutable {
            if (!result) {
                reply.Fail(result.error().message);
                return;
            }
            answer(std::move(reply), result);
        });
    });
}

void TcpRpc::Close(const RpcArgument& argument, RpcReply reply) {
    OnServer(
        std::move(reply),
        [text = std::string(argument.bytes)](TcpServer* server) -> Result<void> {
            Uuid uuid;
            if (server != nullptr && Uuid::Parse(text, uuid)) {
                server->CloseConnection(uuid);
            }
            return {};
        },
        [](RpcReply r, const Result<void>&) { r.Send(true); });
}

void TcpRpc::Write(const RpcArgument& argument, RpcReply reply) {
    const RpcValue& value = *argument.value;
    if (value[0].text().empty()) {
        reply.Fail("uuid is missing");
        return;
    }
    OnServer(
        std::move(reply),
        [target = std::string(value[0].text()), bytes = std::string(value[1].text()),
         name = std::string(value[2].text())](TcpServer* server) -> Result<void> {
            return server != nullptr ? server->Write(target, name, bytes) : NotServing();
        },
        [](RpcReply r, const Result<void>&) { r.Send(true); });
}

void TcpRpc::Broadcast(const RpcArgument& argument, RpcReply reply) {
    const RpcValue& value = *argument.value;
    OnServer(
        std::move(reply),
        [name = std::string(value[0].text()),
         bytes = std::string(value[1].text())](TcpServer* server) -> Result<uint64_t> {
            if (server == nullptr) {
                return Fail(Errc::kClosed, "tcp is not serving");
            }
            return server->Broadcast(name, bytes);
        },
        [](RpcReply r, const Result<uint64_t>& written) { r.Send(*written); });
}

void TcpRpc::List(const RpcArgument& argument, RpcReply reply) {
    using Connections = std::vector<ConnectionInfo>;
    OnServer(
        std::move(reply),
        [name =
             std::string((*argument.value)[0].text())](TcpServer* server) -> Result<Connections> {
            if (server == nullptr) {
                return Fail(Errc::kClosed, "tcp is not serving");
            }
            return server->List(name);
        },
        [](RpcReply r, const Result<Connections>& connections) {
            RpcValue::List rows;
            for (const ConnectionInfo& info : *connections) {
                rows.push_back(Row(info));
            }
            r.Send(RpcValue(std::move(rows)));
        });
}

void TcpRpc::Stats(RpcReply reply) const {
    RpcValue::List rows;
    for (const ServerStats& s : stats_) {
        rows.push_back(RpcValue::List{s.name, s.address, s.connections.value(), s.accepted.value(),
                                      s.refused.value(), s.events.value(), s.failed.value(),
                                      s.dropped.value(), s.bytes_in.value(), s.bytes_out.value()});
    }
    reply.Send(RpcValue(std::move(rows)));
}

}  // namespace rr::tcp
