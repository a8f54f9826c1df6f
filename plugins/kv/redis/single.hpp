// Single: one redis server: a fixed one, or the master that sentinels name.
//
// Sentinels: asks all sentinels at once where the master is; the first good answer holds.
//
// Thread: their loop.
// Owns:   the link to the server, and one to each sentinel.
#pragma once

#include <memory>
#include <vector>

#include "plugins/kv/redis/client.hpp"

namespace rr::kv::redis {

class Sentinels final : public Locator, private LoopBound, private LinkOwner {
public:
    Sentinels(Loop& loop, const RedisConfig& config);

    void Locate(Located located) override;
    void Forget() override { located_ = nullptr; }
    void Close();

private:
    void OnAnswer(Link& link, std::unique_ptr<Call> call, Result<void> result) override;
    void OnDown(Link&, const Error&) override {}  // the master's link tells
    void OnUp(Link&) override {}
    void OnReply(Command& command, Result<void> result);

    const RedisConfig config_;
    std::vector<std::unique_ptr<Link>> links_;
    Located located_;        // null: nobody asks
    uint64_t question_ = 0;  // counts them: late answers to an older one are dropped
    size_t open_ = 0;        // answers that are to come
};

class Single final : public Client {
public:
    Single(const ClientContext& context, const RedisConfig& config);

    void Open() override { link_->Warm(); }

private:
    void Route(std::unique_ptr<Command> command) override { link_->Submit(std::move(command)); }
    bool Redirected(Link& link, std::unique_ptr<Command>& command) override;
    void Lost(std::unique_ptr<Command> command, const Error& why) override;
    void CloseLinks() override;

    std::unique_ptr<Sentinels> sentinels_;  // null: a fixed server
    std::unique_ptr<Link> link_;            // dies before what it asks
};

}  // namespace rr::kv::redis
