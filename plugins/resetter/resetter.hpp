// Resetter: replaces the workers of a plugin by new ones, over RPC.
//
// Calls coalesce in the pools: a reset that has begun may have read the old code already, so all
// calls that come meanwhile are answered by one more, which runs after it.
//
// Thread: main.
// Borrows: the plugins, which live as long as the calls come.
// Fails:  through the replies: an unknown name, or why the new workers do not serve.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/api/resettable.hpp"
#include "core/api/rpc.hpp"
#include "core/base/callback.hpp"

namespace rr::resetter {

using Targets = std::vector<Resettable*>;

class Resetter final : public RpcService {
public:
    // targets: all there are; asked for once, when the methods are described.
    explicit Resetter(Callback<Targets()> targets) : find_targets_(std::move(targets)) {}

    std::string_view rpc_name() const override { return "resetter"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    void List(RpcReply reply) const;
    void Reset(std::string_view name, RpcReply reply) const;

    Callback<Targets()> find_targets_;
    Targets targets_;  // constant once described
};

// HttpReset: `http.Reset` of RoadRunner 1.x. Has no method where there is no http.
class HttpReset final : public RpcService {
public:
    explicit HttpReset(Callback<Targets()> targets) : find_targets_(std::move(targets)) {}

    std::string_view rpc_name() const override { return "http"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    Callback<Targets()> find_targets_;
};

}  // namespace rr::resetter
