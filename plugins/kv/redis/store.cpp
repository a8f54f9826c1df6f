#include "plugins/kv/redis/store.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "plugins/kv/gathering.hpp"
#include "plugins/kv/redis/cluster.hpp"
#include "plugins/kv/redis/single.hpp"
#include "plugins/kv/redis/slots.hpp"
#include "plugins/kv/timeout.hpp"

namespace rr::kv::redis {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

// What the reply of a command for `keys` says, for the answer of the call.
Result<void> Add(Operation operation, const std::vector<std::string>& keys, const Reply& reply,
                 Found& found) {
    if (reply.error()) {
        return Fail(Errc::kIo, reply.text);
    }
    switch (operation) {
        case Operation::kHas:
            if (reply.integer > 0) {
                found.Add(keys.front());
            }
            return {};
        case Operation::kMGet:
            if (reply.elements.size() != keys.size()) {
                return Fail(Errc::kProtocol, "redis answered for other keys");
            }
            for (size_t i = 0; i < keys.size(); ++i) {
                if (reply.elements[i].kind == Reply::Kind::kString) {
                    found.AddValue(keys[i], reply.elements[i].text);
                }
            }
            return {};
        case Operation::kTtl:
            // -2: no such key, -1: no end.
            if (reply.integer >= 0) {
                // To the nearest second: clients write whole ones, and the ways to the server and
                // back take a part of the next.
                found.AddTimeout(keys.front(),
                                 FormatTimeout(UnixNanoseconds() + reply.integer * kMillisecond +
                                               500 * kMillisecond));
            }
            return {};
        default: return {};
    }
}

void AppendCommandOf(Operation operation, const Item& item, int64_t now, std::string& wire) {
    // Rounded down: what has less than a millisecond left is over.
    const int64_t left = (item.expires - now) / kMillisecond;
    const std::string left_text = std::to_string(std::max<int64_t>(left, 0));
    switch (operation) {
        case Operation::kHas: AppendCommand({"EXISTS", item.key}, wire); break;
        case Operation::kSet:
            if (item.expires == 0) {
                AppendCommand({"SET", item.key, item.value}, wire);
            } else if (left <= 0) {
                AppendCommand({"DEL", item.key}, wire);
            } else {
                AppendCommand({"SET", item.key, item.value, "PX", left_text}, wire);
            }
            break;
        case Operation::kMGet: AppendCommand({"MGET", item.key}, wire); break;
        case Operation::kMExpire: AppendCommand({"PEXPIRE", item.key, left_text}, wire); break;
        case Operation::kTtl: AppendCommand({"PTTL", item.key}, wire); break;
        case Operation::kDelete: AppendCommand({"DEL", item.key}, wire); break;
        case Operation::kClear: AppendCommand({"FLUSHDB", "ASYNC"}, wire); break;
    }
}

bool Reads(Operation operation) {
    return operation == Operation::kHas || operation == Operation::kMGet ||
           operation == Operation::kTtl;
}

std::unique_ptr<Command> ForOne(Operation operation, const Item& item, int64_t now) {
    auto command = std::make_unique<Command>();
    AppendCommandOf(operation, item, now, command->wire);
    command->slot = SlotOf(item.key);
    command->reads = Reads(operation);
    return command;
}

// MGET or DEL of all keys; not for a cluster.
std::unique_ptr<Command> ForAll(Operation operation, std::span<const Item> items) {
    auto command = std::make_unique<Command>();
    std::vector<std::string_view> words = {operation == Operation::kMGet ? "MGET" : "DEL"};
    for (const Item& item : items) {
        words.push_back(item.key);
    }
    AppendCommand(words, command->wire);
    return command;
}

Result<void> Check(Operation operation, std::span<const Item> items) {
    if (operation == Operation::kMExpire) {
        for (const Item& item : items) {
            if (item.expires == 0 || item.key.find_first_not_of(' ') == std::string_view::npos) {
                return Fail(Errc::kInvalid, "timeout for MExpire is empty or key is empty");
            }
        }
    }
    return {};
}

std::unique_ptr<Client> MakeClient(const StoreContext& context, const RedisConfig& config) {
    const ClientContext ours{context.loop, context.log, context.storage};
    if (config.mode == RedisConfig::Mode::kCluster) {
        return std::make_unique<Cluster>(ours, config);
    }
    return std::make_unique<Single>(ours, config);
}

}  // namespace

RedisStore::RedisStore(const StoreContext& context, const RedisConfig& config)
    : loop_(context.loop), config_(config), client_(MakeClient(context, config)) {}

void RedisStore::Open(Callback<void(Result<void>)> opened) {
    client_->Open();
    opened({});
}

void RedisStore::Run(Operation operation, std::span<const Item> items, Done done) {
    if (auto good = Check(operation, items); !good) {
        done(Forward(good));
        return;
    }
    if (items.empty() && operation != Operation::kClear) {
        done(Found());
        return;
    }
    std::vector<std::unique_ptr<Command>> commands;
    std::vector<std::vector<std::string>> keys;
    const bool together = config_.mode != RedisConfig::Mode::kCluster &&
                          (operation == Operation::kMGet || operation == Operation::kDelete);
    if (operation == Operation::kClear) {
        commands.push_back(ForOne(operation, Item(), 0));
        commands.back()->everywhere = true;
        keys.emplace_back();
    } else if (together) {
        commands.push_back(ForAll(operation, items));
        keys.emplace_back();
        for (const Item& item : items) {
            keys.back().emplace_back(item.key);
        }
    } else {
        const int64_t now = UnixNanoseconds();
        for (const Item& item : items) {
            commands.push_back(ForOne(operation, item, now));
            keys.push_back({std::string(item.key)});
        }
    }
    auto gathering = Gathering::Of(commands.size(), std::move(done));
    const Deadline deadline = loop_.Now() + config_.read_timeout;
    for (size_t i = 0; i < commands.size(); ++i) {
        commands[i]->deadline = deadline;
        commands[i]->done = [gathering, operation, keys = std::move(keys[i])](Command& command,
                                                                              Result<void> result) {
            if (result) {
                result = Add(operation, keys, command.reply(), gathering->found);
            }
            gathering->Add(std::move(result));
        };
        client_->Submit(std::move(commands[i]));
    }
}

void RedisStore::Close(Callback<void()> closed) {
    client_->Close();
    loop_.Post(std::move(closed));  // a call's done may be what closes us
}

}  // namespace rr::kv::redis

namespace rr::kv {

std::unique_ptr<Store> MakeRedisStore(const config::Section& section, const StoreContext& context) {
    return std::make_unique<redis::RedisStore>(context, redis::ParseRedisConfig(section));
}

}  // namespace rr::kv
