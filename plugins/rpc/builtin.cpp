#include "plugins/rpc/builtin.hpp"

namespace rr::rpc {

void RpcInfo::Describe(std::vector<RpcMethod>& methods) {
    methods.push_back({"Version", RpcType::Bool(), RpcType::Text(),
                       [this](const RpcArgument&, RpcReply reply) { reply.SendBytes(version_); }});
    methods.push_back({"Config", RpcType::Bool(), RpcType::ByteString(),
                       [this](const RpcArgument&, RpcReply reply) { reply.SendBytes(config_); }});
}

void SystemService::Describe(std::vector<RpcMethod>& methods) {
    methods.push_back({"Stop", RpcType::Bool(), RpcType::Text(),
                       [this](const RpcArgument& wanted, RpcReply reply) {
                           reply.SendBytes("OK");
                           if (wanted.flag) {
                               stop_();
                           }
                       }});
}

}  // namespace rr::rpc
