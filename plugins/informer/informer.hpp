// Informer: which plugins have workers, how those are, and one more or less of them, over RPC.
//
// Thread: main.
// Borrows: the groups, which live as long as the calls come.
// Fails:  through the replies, with RoadRunner's texts.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/api/worker_group.hpp"
#include "core/base/callback.hpp"

namespace rr::informer {

using Groups = std::vector<WorkerGroup*>;

class Informer final : public RpcService {
public:
    // groups: all there are; asked for once, when the methods are described.
    explicit Informer(Callback<Groups()> groups) : find_groups_(std::move(groups)) {}

    std::string_view rpc_name() const override { return "informer"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    WorkerGroup* Find(std::string_view name) const;
    void List(RpcReply reply) const;
    void Workers(std::string_view name, RpcReply reply) const;
    void Status(std::string_view name, RpcReply reply) const;
    WorkerGroup* Resizable(std::string_view name, RpcReply& reply) const;

    Callback<Groups()> find_groups_;
    Groups groups_;  // constant once described
};

// HttpWorkers: `http.Workers` of RoadRunner 1.x. Has no method where there is no http.
class HttpWorkers final : public RpcService {
public:
    explicit HttpWorkers(Callback<Groups()> groups) : find_groups_(std::move(groups)) {}

    std::string_view rpc_name() const override { return "http"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    Callback<Groups()> find_groups_;
};

}  // namespace rr::informer
