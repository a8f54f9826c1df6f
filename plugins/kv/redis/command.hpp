// Command: a call to redis with its answer. RedisDialect: how such calls are spoken on a link.
//
// Thread: the link's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/kv/link.hpp"
#include "plugins/kv/redis/reply.hpp"

namespace rr::kv::redis {

struct Command final : Call {
    void Again() override { replies.clear(); }

    size_t answers = 1;          // that the wire makes
    std::vector<Reply> replies;  // the last one counts

    bool everywhere = false;  // not of a key: every master of a cluster runs it
    uint16_t slot = 0;        // of its key
    std::string node;         // else: the one node that runs it
    bool asking = false;      // the wire begins with ASKING
    bool reads = false;       // a replica may answer
    int64_t redirects = 0;
    Instant begun{};  // of a probe

    // Comes once; not for a command that a client takes apart.
    Callback<void(Command&, Result<void>)> done;

    Reply& reply() { return replies.back(); }
};

// What is said first on a connection.
struct Greeting {
    std::string username;
    std::string password;  // empty: no AUTH
    int64_t db = 0;
    bool replica = false;      // READONLY: a replica of a cluster answers reads itself
    bool want_master = false;  // ROLE must say so: what a sentinel named may have stepped down
};

class RedisDialect final : public Dialect {
public:
    explicit RedisDialect(Greeting greeting) : greeting_(std::move(greeting)) {}

    std::unique_ptr<Call> Greet() override;
    Result<void> Greeted(Call& greeting) override;
    Result<void> Feed(Bytes bytes) override { return reader_.Feed(bytes); }
    Result<bool> Read(Call& call) override;
    bool quiet() const override { return reader_.empty(); }

private:
    const Greeting greeting_;
    Reader reader_;
};

}  // namespace rr::kv::redis
