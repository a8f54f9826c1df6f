// StatusService: health over RPC: status.Status and status.Ready of one plugin.
//
// Thread: main. Borrows the probe.
#pragma once

#include <vector>

#include "core/api/container.hpp"
#include "core/api/rpc.hpp"
#include "plugins/status/probe.hpp"

namespace rr::status {

class StatusService final : public RpcService {
public:
    // Before the first call; the container tells whether the server is draining.
    void Open(const Probe& probe, const Container& container);

    std::string_view rpc_name() const override { return "status"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    void Answer(Question question, const RpcArgument& argument, RpcReply reply) const;

    const Probe* probe_ = nullptr;
    const Container* container_ = nullptr;
};

}  // namespace rr::status
