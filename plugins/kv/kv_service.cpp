#include "plugins/kv/kv_service.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/kv/timeout.hpp"

namespace rr::kv {
namespace {

struct MethodRow {
    std::string_view name;
    Operation operation;
    std::string_view in_errors;
};

// `rcp_delete` is RoadRunner's, for both.
constexpr MethodRow kMethods[] = {
    {"Has", Operation::kHas, "rpc_has"},        {"Set", Operation::kSet, "rpc_set"},
    {"MGet", Operation::kMGet, "rpc_mget"},     {"MExpire", Operation::kMExpire, "rpc_mexpire"},
    {"TTL", Operation::kTtl, "rpc_ttl"},        {"Delete", Operation::kDelete, "rcp_delete"},
    {"Clear", Operation::kClear, "rcp_delete"},
};

constexpr RpcField kStatFields[] = {
    {"storage", {}, RpcKind::kText}, {"driver", {}, RpcKind::kText},
    {"keys", {}, RpcKind::kInt},  // -1: not known
    {"bytes", {}, RpcKind::kInt},    {"hits", {}, RpcKind::kUint},
    {"misses", {}, RpcKind::kUint},  {"evictions", {}, RpcKind::kUint},
    {"expired", {}, RpcKind::kUint}, {"calls", {}, RpcKind::kUint},
    {"errors", {}, RpcKind::kUint},  {"seconds", {}, RpcKind::kDouble},
};
constexpr RpcShape kStatShape{"Stat", kStatFields, false};

std::string_view NameOf(Operation operation) {
    return kMethods[static_cast<size_t>(operation)].in_errors;
}

std::string OperationOf(const Store& store, Operation operation) {
    return std::string(store.operations())
        .append("_")
        .append(kOperationNames[static_cast<size_t>(operation)]);
}

bool IsBlank(std::string_view key) { return key.find_first_not_of(" \t\n\v\f\r") == key.npos; }

bool NeedsKeys(Operation operation) {
    return operation == Operation::kHas || operation == Operation::kMGet ||
           operation == Operation::kTtl || operation == Operation::kDelete;
}

bool TakesTimes(Operation operation) {
    return operation == Operation::kSet || operation == Operation::kMExpire;
}

// Reads the times of all items; the text of the first that is none.
std::string ReadTimes(std::vector<Item>& items) {
    // All items of the SDK's calls have one time.
    std::string_view text;
    int64_t at = 0;
    for (Item& item : items) {
        if (item.timeout != text) {
            at = 0;
            if (!item.timeout.empty()) {
                Result<int64_t> read = ParseTimeout(item.timeout);
                if (!read) {
                    return std::move(read.error().message);
                }
                at = *read;
            }
            text = item.timeout;
        }
        item.expires = at;
    }
    return {};
}

int64_t OrUnknown(std::optional<uint64_t> number) {
    return number ? static_cast<int64_t>(*number) : -1;
}

}  // namespace

void KvService::Describe(std::vector<RpcMethod>& methods) {
    for (const MethodRow& row : kMethods) {
        const Operation operation = row.operation;
        methods.push_back({row.name, RpcType::Message(kRequestShape),
                           RpcType::Message(kResponseShape),
                           [this, operation](const RpcArgument& argument, RpcReply reply) {
                               Call(operation, argument, std::move(reply));
                           }});
    }
    methods.push_back({"Stat", RpcType::Nothing(), RpcType::StructList(kStatShape),
                       [this](const RpcArgument&, RpcReply reply) { reply.Send(Stat()); }});
}

void KvService::Call(Operation operation, const RpcArgument& argument, RpcReply reply) {
    const std::string_view name = NameOf(operation);
    if (refuses_) {
        reply.Fail(std::string(name).append(": the server is stopping"));
        return;
    }
    if (!ReadRequest(argument.bytes, request_)) {
        reply.Fail("goridge_read_request_body: proto: cannot parse invalid wire-format data");
        return;
    }
    Storage* storage = FindStorage(request_.storage);
    if (storage == nullptr) {
        const bool unnamed = request_.storage.empty() && operation != Operation::kSet;
        reply.Fail(std::string(name)
                       .append(unnamed ? ": no storage provided" : ": no such storage: ")
                       .append(request_.storage));
        return;
    }
    std::vector<Item>& items = request_.items;
    if (NeedsKeys(operation) && std::any_of(items.begin(), items.end(),
                                            [](const Item& item) { return IsBlank(item.key); })) {
        reply.Fail(std::string(name)
                       .append(": key can't be empty string:\n\t")
                       .append(OperationOf(*storage->store, operation)));
        return;
    }
    if (TakesTimes(operation)) {
        if (std::string problem = ReadTimes(items); !problem.empty()) {
            reply.Fail(std::string(name).append(": ").append(problem));
            return;
        }
    }
    const size_t asked = items.size();
    const Instant begun = storage->Begin(operation);
    storage->store->Run(operation, items,
                        [storage, operation, asked, begun,
                         reply = std::move(reply)](const Result<Found>& found) mutable {
                            Finish(*storage, operation, asked, begun, std::move(reply), found);
                        });
}

void KvService::Finish(Storage& storage, Operation operation, size_t asked, Instant begun,
                       RpcReply reply, const Result<Found>& found) {
    storage.End(operation, begun, found.has_value());
    if (!found) {
        reply.Fail(std::string(NameOf(operation))
                       .append(":\n\t")
                       .append(OperationOf(*storage.store, operation))
                       .append(": ")
                       .append(found.error().message));
        return;
    }
    if (operation == Operation::kMGet) {
        const size_t hits = std::min(found->count(), asked);
        storage.hits += hits;
        storage.misses += asked - hits;
    }
    reply.SendBytes(found->wire());
}

Storage* KvService::FindStorage(std::string_view name) const {
    const auto found = std::find_if(storages_.begin(), storages_.end(),
                                    [name](const auto& one) { return one->name == name; });
    return found == storages_.end() ? nullptr : found->get();
}

RpcValue KvService::Stat() const {
    RpcValue::List list;
    for (const auto& storage : storages_) {
        const StoreStats stats = storage->store->stats();
        Duration time{};
        for (const OperationStats& one : storage->operations) {
            time += one.time;
        }
        list.emplace_back(
            RpcValue::List{std::string_view(storage->name), std::string_view(storage->driver),
                           OrUnknown(stats.keys), OrUnknown(stats.bytes), storage->hits,
                           storage->misses, stats.evictions, stats.expired, storage->calls(),
                           storage->errors(), std::chrono::duration<double>(time).count()});
    }
    return list;
}

}  // namespace rr::kv
