// MetricsService: the metrics of the application over RPC: metrics.Add, Sub, Set, Observe, Declare,
// Unregister.
//
// Thread: main. Borrows the store.
#pragma once

#include <vector>

#include "core/api/rpc.hpp"
#include "plugins/metrics/store.hpp"

namespace rr::metrics {

class MetricsService final : public RpcService {
public:
    // Before the first call.
    void Open(Store& store) { store_ = &store; }

    std::string_view rpc_name() const override { return "metrics"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    void Apply(Operation operation, const RpcValue& value, RpcReply reply);
    void Declare(const RpcValue& value, RpcReply reply);

    Store* store_ = nullptr;
};

}  // namespace rr::metrics
