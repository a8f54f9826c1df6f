// The services `rpc` (version and configuration of the server) and `system` (of RoadRunner 1.x).
//
// Thread: main.
#pragma once

#include <string>
#include <utility>

#include "core/api/rpc.hpp"

namespace rr::rpc {

class RpcInfo final : public RpcService {
public:
    // config: the merged configuration as JSON.
    void Set(std::string version, std::string config) {
        version_ = std::move(version);
        config_ = std::move(config);
    }

    std::string_view rpc_name() const override { return "rpc"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    std::string version_;
    std::string config_;
};

class SystemService final : public RpcService {
public:
    explicit SystemService(Callback<void()> stop) : stop_(std::move(stop)) {}

    std::string_view rpc_name() const override { return "system"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    Callback<void()> stop_;
};

}  // namespace rr::rpc
