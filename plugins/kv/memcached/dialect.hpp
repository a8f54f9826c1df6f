// MemcachedCall: a command of memcached's text protocol with its answer. MemcachedDialect: how such
// calls are spoken on a link.
//
// Thread: the link's.
// Fails:  Read: kProtocol for bytes that are no answer to the command.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/kv/link.hpp"

namespace rr::kv::memcached {

struct MemcachedCall final : Call {
    enum class Kind : uint8_t {
        kGet,   // VALUE lines, then END
        kSet,   // STORED; its data makes no sense to a server that refuses its line
        kLine,  // touch, delete, flush_all: one word
    };
    struct Value {
        std::string key;
        std::string bytes;
    };

    explicit MemcachedCall(Kind k) : kind(k) {}
    void Again() override {
        values.clear();
        error.clear();
        next_key = 0;
    }

    const Kind kind;
    std::vector<std::string> keys;  // of kGet, in the order of the command
    size_t next_key = 0;            // of the value that is to come at the earliest
    std::vector<Value> values;
    std::string error;  // what the server refused it with

    Callback<void(MemcachedCall&, Result<void>)> done;  // comes once
};

class MemcachedDialect final : public Dialect {
public:
    std::unique_ptr<Call> Greet() override {
        unread_.Clear(0);
        return nullptr;
    }
    Result<void> Greeted(Call&) override { return {}; }
    Result<void> Feed(Bytes bytes) override {
        unread_.Append(bytes);
        return {};
    }
    Result<bool> Read(Call& call) override;
    bool quiet() const override { return unread_.empty(); }

private:
    Result<bool> ReadValue(Bytes line, MemcachedCall& call);

    Buffer unread_;
};

// The server of a key among `servers`: RoadRunner's choice, so that both find what the other stored.
size_t ServerOf(std::string_view key, size_t servers);

// May this be a key? At most 250 bytes, no blanks, no control characters.
bool IsKey(std::string_view key);

}  // namespace rr::kv::memcached
