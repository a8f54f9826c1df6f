// MemcachedStore: the driver `memcached`: operations as commands of its text protocol, on one or
// several servers, each of which has its share of the keys.
//
//   Has, MGet: get   Set: set   MExpire: touch   Delete: delete   Clear: flush_all everywhere
//   Ttl: the protocol has nothing for it
//
// The end of a value is sent in whole seconds, and memcached's own clock ticks once a second: a
// value may be seen up to a second longer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/kv/link.hpp"
#include "plugins/kv/memcached/config.hpp"
#include "plugins/kv/memcached/dialect.hpp"
#include "plugins/kv/store.hpp"

namespace rr::kv::memcached {

class MemcachedStore final : public Store, private LinkOwner {
public:
    MemcachedStore(const StoreContext& context, const MemcachedConfig& config);

    std::string_view operations() const override { return "memcached_plugin"; }
    void Open(Callback<void(Result<void>)> opened) override;
    void Run(Operation operation, std::span<const Item> items, Done done) override;
    void Close(Callback<void()> closed) override;
    StoreStats stats() const override { return {}; }

private:
    struct Part {  // a call and the server that it goes to
        size_t server;
        std::unique_ptr<MemcachedCall> call;
    };
    void OnAnswer(Link& link, std::unique_ptr<Call> call, Result<void> result) override;
    void OnDown(Link& link, const Error& error) override;
    void OnUp(Link& link) override;

    std::vector<Part> MakeParts(Operation operation, std::span<const Item> items) const;
    void AddGets(std::span<const Item> items, std::vector<Part>& parts) const;

    Loop& loop_;
    const log::Logger log_;
    const std::string storage_;
    const MemcachedConfig config_;
    std::vector<std::unique_ptr<Link>> links_;  // one for each server, in their order
};

}  // namespace rr::kv::memcached

namespace rr::kv {

// kv.<storage>.config of the driver memcached.
std::unique_ptr<Store> MakeMemcachedStore(const config::Section& section,
                                          const StoreContext& context);

}  // namespace rr::kv
