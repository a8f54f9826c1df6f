// ServiceRpc: the RPC methods service.{Create, Terminate, Restart, Statuses, Status, List}.
//
// Thread: the main loop. Borrows the supervisor.
// Fails:  through the reply, in RoadRunner's words.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "plugins/service/supervisor.hpp"

namespace rr::service {

class ServiceRpc final : public RpcService {
public:
    explicit ServiceRpc(Supervisor& supervisor) : supervisor_(supervisor) {}

    std::string_view rpc_name() const override { return "service"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    void Create(const RpcArgument& argument, RpcReply reply);

    Supervisor& supervisor_;
};

}  // namespace rr::service
