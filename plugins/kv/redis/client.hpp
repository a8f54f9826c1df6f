// Client: runs commands on the redis server, or on the right one of several, and runs them again
// where that helps. What differs between one server and a cluster is in Single and Cluster.
//
// Thread: its loop. LoopBound.
// Owns:   its links and the commands that wait between two attempts.
// Fails:  through a command's done, as Link does. An error that the server answered with is a reply.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/log/logger.hpp"
#include "core/net/timer.hpp"
#include "plugins/kv/link.hpp"
#include "plugins/kv/redis/command.hpp"
#include "plugins/kv/redis/config.hpp"

namespace rr::kv::redis {

struct ClientContext {
    Loop& loop;
    log::Logger log;
    std::string storage;  // for records of the log
};

class Client : protected LoopBound, protected LinkOwner {
public:
    virtual ~Client() = default;

    // Begins to connect.
    virtual void Open() = 0;
    // done may come inside the call.
    void Submit(std::unique_ptr<Command> command) { Route(std::move(command)); }
    // Every command is answered, later ones too.
    void Close();

protected:
    Client(const ClientContext& context, const RedisConfig& config);

    // Sends a command where it belongs.
    virtual void Route(std::unique_ptr<Command> command) = 0;
    // The server said no: true if `command` was taken, to be run elsewhere.
    virtual bool Redirected(Link& link, std::unique_ptr<Command>& command) = 0;
    // A link gave the command up.
    virtual void Lost(std::unique_ptr<Command> command, const Error& why) = 0;
    virtual void CloseLinks() = 0;

    // Routes it again after a pause that grows with `attempt`.
    void Park(std::unique_ptr<Command> command, int64_t attempt);
    // Routes it again by ResumeParked, or finishes it at its deadline.
    void ParkUntilResumed(std::unique_ptr<Command> command);
    void ResumeParked();
    void Finish(std::unique_ptr<Command> command, Result<void> result);

    std::unique_ptr<Link> MakeLink(const net::Address& address, const Greeting& greeting,
                                   const LinkSettings& settings);
    bool closed() const { return closed_; }

    const RedisConfig config_;

    void OnAnswer(Link& link, std::unique_ptr<Call> call, Result<void> result) override;
    void OnDown(Link& link, const Error& error) override;
    void OnUp(Link& link) override;

private:
    struct Parked {
        Instant at;
        std::unique_ptr<Command> command;
    };
    void Add(Instant at, std::unique_ptr<Command> command);
    void OnTimer();

    const log::Logger log_;
    const std::string storage_;
    std::vector<Parked> parked_;
    net::Timer timer_;  // for the nearest of parked_
    Instant timer_at_{};
    bool closed_ = false;
};

}  // namespace rr::kv::redis
