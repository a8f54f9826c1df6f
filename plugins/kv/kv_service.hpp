// KvService: the RPC methods kv.{Has, Set, MGet, MExpire, TTL, Delete, Clear}, and kv.Stat of ours.
//
// Thread: main.
// Owns:   nothing. Borrows the storages, which outlive every call.
// Fails:  through the reply, with the texts that the SDK looks for: `no such storage`, `_plugin_ttl`.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "plugins/kv/request.hpp"
#include "plugins/kv/storage.hpp"

namespace rr::kv {

class KvService final : public RpcService {
public:
    explicit KvService(Storages& storages) : storages_(storages) {}

    std::string_view rpc_name() const override { return "kv"; }
    void Describe(std::vector<RpcMethod>& methods) override;

    // From now on every call is answered with an error.
    void Refuse() { refuses_ = true; }

private:
    void Call(Operation operation, const RpcArgument& argument, RpcReply reply);
    static void Finish(Storage& storage, Operation operation, size_t asked, Instant begun,
                       RpcReply reply, const Result<Found>& found);
    Storage* FindStorage(std::string_view name) const;
    RpcValue Stat() const;

    Storages& storages_;
    Request request_;  // of the call that is being read: its memory serves call after call
    bool refuses_ = false;
};

}  // namespace rr::kv
