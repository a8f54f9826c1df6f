#include "plugins/kv/memcached/store.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "plugins/kv/gathering.hpp"

namespace rr::kv::memcached {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kMaxGet = 8000;  // bytes of a command with many keys

void AppendLine(std::initializer_list<std::string_view> words, std::string& wire) {
    for (std::string_view word : words) {
        wire.append(word).append(1, ' ');
    }
    wire.back() = '\r';
    wire.append(1, '\n');
}

// Unix seconds; memcached counts them in 32 bits. 0: no end.
std::string EndText(const Item& item) {
    return std::to_string(std::min<int64_t>(item.expires / kSecond, INT32_MAX));
}

std::unique_ptr<MemcachedCall> ForOne(Operation operation, const Item& item, int64_t now) {
    const bool set = operation == Operation::kSet;
    const bool over = item.expires != 0 && item.expires <= now;
    const bool stores = set && !over;
    auto call = std::make_unique<MemcachedCall>(stores ? MemcachedCall::Kind::kSet
                                                       : MemcachedCall::Kind::kLine);
    if (stores) {
        AppendLine({"set", item.key, "0", EndText(item), std::to_string(item.value.size())},
                   call->wire);
        call->wire.append(item.value).append("\r\n");
    } else if (operation == Operation::kMExpire && !over) {
        AppendLine({"touch", item.key, EndText(item)}, call->wire);
    } else {
        AppendLine({"delete", item.key}, call->wire);
    }
    return call;
}

Result<void> Check(Operation operation, std::span<const Item> items) {
    if (operation == Operation::kTtl) {
        return Fail(Errc::kUnsupported,
                    "not valid request for memcached, see "
                    "https://github.com/memcached/memcached/issues/239");
    }
    if (operation == Operation::kClear) {
        return {};
    }
    for (const Item& item : items) {
        if (operation == Operation::kMExpire &&
            (item.expires == 0 || item.key.find_first_not_of(' ') == std::string_view::npos)) {
            return Fail(Errc::kInvalid, "timeout for MExpire is empty or key is empty");
        }
        if (!IsKey(item.key)) {
            return Fail(Errc::kInvalid,
                        "malformed: key is too long or contains invalid characters");
        }
    }
    return {};
}

Result<void> Add(Operation operation, MemcachedCall& call, Found& found) {
    if (!call.error.empty()) {
        return Fail(Errc::kIo, call.error);
    }
    for (const MemcachedCall::Value& value : call.values) {
        if (operation == Operation::kHas) {
            found.Add(value.key);
        } else {
            found.AddValue(value.key, value.bytes);
        }
    }
    return {};
}

}  // namespace

MemcachedStore::MemcachedStore(const StoreContext& context, const MemcachedConfig& config)
    : loop_(context.loop), log_(context.log), storage_(context.storage), config_(config) {
    for (const net::Address& address : config.addr) {
        links_.push_back(std::make_unique<Link>(loop_, config.link, address,
                                                std::make_unique<MemcachedDialect>(),
                                                static_cast<LinkOwner&>(*this)));
    }
}

void MemcachedStore::Open(Callback<void(Result<void>)> opened) {
    for (auto& link : links_) {
        link->Warm();
    }
    opened({});
}

void MemcachedStore::AddGets(std::span<const Item> items, std::vector<Part>& parts) const {
    std::vector<std::unique_ptr<MemcachedCall>> open(links_.size());
    const auto finish = [&open, &parts](size_t server) {
        if (open[server] != nullptr) {
            open[server]->wire.append("\r\n");
            parts.push_back({server, std::move(open[server])});
        }
    };
    for (const Item& item : items) {
        const size_t server = ServerOf(item.key, links_.size());
        if (open[server] != nullptr && open[server]->wire.size() + item.key.size() > kMaxGet) {
            finish(server);
        }
        if (open[server] == nullptr) {
            open[server] = std::make_unique<MemcachedCall>(MemcachedCall::Kind::kGet);
            open[server]->wire = "get";
        }
        open[server]->wire.append(1, ' ').append(item.key);
        open[server]->keys.emplace_back(item.key);
    }
    for (size_t server = 0; server < open.size(); ++server) {
        finish(server);
    }
}

std::vector<MemcachedStore::Part> MemcachedStore::MakeParts(Operation operation,
                                                            std::span<const Item> items) const {
    std::vector<Part> parts;
    if (operation == Operation::kHas || operation == Operation::kMGet) {
        AddGets(items, parts);
        return parts;
    }
    if (operation == Operation::kClear) {
        for (size_t server = 0; server < links_.size(); ++server) {
            auto call = std::make_unique<MemcachedCall>(MemcachedCall::Kind::kLine);
            call->wire = "flush_all\r\n";
            parts.push_back({server, std::move(call)});
        }
        return parts;
    }
    const int64_t now = UnixNanoseconds();
    for (const Item& item : items) {
        parts.push_back({ServerOf(item.key, links_.size()), ForOne(operation, item, now)});
    }
    return parts;
}

void MemcachedStore::Run(Operation operation, std::span<const Item> items, Done done) {
    if (auto good = Check(operation, items); !good) {
        done(Forward(good));
        return;
    }
    std::vector<Part> parts = MakeParts(operation, items);
    if (parts.empty()) {
        done(Found());
        return;
    }
    auto gathering = Gathering::Of(parts.size(), std::move(done));
    const Deadline deadline = loop_.Now() + config_.read_timeout;
    for (Part& part : parts) {
        part.call->deadline = deadline;
        part.call->done = [gathering, operation](MemcachedCall& call, Result<void> result) {
            if (result) {
                result = Add(operation, call, gathering->found);
            }
            gathering->Add(std::move(result));
        };
        links_[part.server]->Submit(std::move(part.call));
    }
}

void MemcachedStore::OnAnswer(Link&, std::unique_ptr<Call> call, Result<void> result) {
    auto& answered = static_cast<MemcachedCall&>(*call);
    auto done = std::move(answered.done);
    done(answered, std::move(result));
}

void MemcachedStore::OnDown(Link& link, const Error& error) {
    log_.Warn(
        "memcached does not answer",
        {{"storage", storage_}, {"address", link.address().ToString()}, {"error", error.message}});
}

void MemcachedStore::OnUp(Link& link) {
    log_.Info("memcached answers again",
              {{"storage", storage_}, {"address", link.address().ToString()}});
}

void MemcachedStore::Close(Callback<void()> closed) {
    for (auto& link : links_) {
        link->Close();
    }
    loop_.Post(std::move(closed));  // a call's done may be what closes us
}

}  // namespace rr::kv::memcached

namespace rr::kv {

std::unique_ptr<Store> MakeMemcachedStore(const config::Section& section,
                                          const StoreContext& context) {
    return std::make_unique<memcached::MemcachedStore>(context,
                                                       memcached::ParseMemcachedConfig(section));
}

}  // namespace rr::kv
