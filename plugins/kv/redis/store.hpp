// RedisStore: the driver `redis`: operations as commands of redis.
//
//   Has: EXISTS   Set: SET ... PX   MGet: MGET   MExpire: PEXPIRE   Ttl: PTTL   Delete: DEL
//   Clear: FLUSHDB ASYNC, on each master of a cluster
//
// All commands of a call go out together. In a cluster there is one for each key.
#pragma once

#include <memory>

#include "plugins/kv/redis/client.hpp"
#include "plugins/kv/store.hpp"

namespace rr::kv::redis {

class RedisStore final : public Store {
public:
    RedisStore(const StoreContext& context, const RedisConfig& config);

    std::string_view operations() const override { return "redis_plugin"; }
    void Open(Callback<void(Result<void>)> opened) override;
    void Run(Operation operation, std::span<const Item> items, Done done) override;
    void Close(Callback<void()> closed) override;
    StoreStats stats() const override { return {}; }

private:
    Loop& loop_;
    const RedisConfig config_;
    std::unique_ptr<Client> client_;
};

}  // namespace rr::kv::redis

namespace rr::kv {

// kv.<storage>.config of the driver redis.
std::unique_ptr<Store> MakeRedisStore(const config::Section& section, const StoreContext& context);

}  // namespace rr::kv
