#include "plugins/kv/redis/client.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rr::kv::redis {
namespace {

// What a server says that will serve in a moment, or no longer.
constexpr std::array<std::string_view, 5> kPassing = {"LOADING", "READONLY", "CLUSTERDOWN",
                                                      "TRYAGAIN", "MASTERDOWN"};

bool Passing(const Reply& reply) {
    return std::any_of(kPassing.begin(), kPassing.end(),
                       [&reply](std::string_view word) { return reply.error(word); });
}

}  // namespace

Client::Client(const ClientContext& context, const RedisConfig& config)
    : LoopBound(context.loop),
      config_(config),
      log_(context.log),
      storage_(context.storage),
      timer_(context.loop, [this] { OnTimer(); }) {}

void Client::Close() {
    closed_ = true;
    CloseLinks();
    auto parked = std::move(parked_);
    parked_.clear();
    for (Parked& one : parked) {
        Finish(std::move(one.command), Fail(Errc::kClosed, "the storage was closed"));
    }
}

std::unique_ptr<Link> Client::MakeLink(const net::Address& address, const Greeting& greeting,
                                       const LinkSettings& settings) {
    return std::make_unique<Link>(loop_, settings, address,
                                  std::make_unique<RedisDialect>(greeting),
                                  static_cast<LinkOwner&>(*this));
}

void Client::OnAnswer(Link& link, std::unique_ptr<Call> call, Result<void> result) {
    std::unique_ptr<Command> command(static_cast<Command*>(call.release()));
    if (!result) {
        if (closed_) {
            Finish(std::move(command), std::move(result));
            return;
        }
        Lost(std::move(command), result.error());
        return;
    }
    if (command->reply().error() && !closed_) {
        if (Redirected(link, command)) {
            return;
        }
        if (Passing(command->reply()) && command->attempts < config_.link.max_retries) {
            command->attempts++;
            const int64_t attempt = command->attempts;
            Park(std::move(command), attempt);
            return;
        }
    }
    Finish(std::move(command), {});
}

void Client::OnDown(Link& link, const Error& error) {
    log_.Warn(
        "redis does not answer",
        {{"storage", storage_}, {"address", link.address().ToString()}, {"error", error.message}});
}

void Client::OnUp(Link& link) {
    log_.Info("redis answers again",
              {{"storage", storage_}, {"address", link.address().ToString()}});
}

void Client::Park(std::unique_ptr<Command> command, int64_t attempt) {
    const int64_t doublings = std::clamp<int64_t>(attempt - 1, 0, 30);
    const Duration pause =
        std::min(config_.link.max_backoff, config_.link.min_backoff * (int64_t{1} << doublings));
    const Instant at = std::min(loop_.Now() + pause, command->deadline);
    Add(at, std::move(command));
}

void Client::ParkUntilResumed(std::unique_ptr<Command> command) {
    const Instant at = command->deadline;
    Add(at, std::move(command));
}

void Client::Add(Instant at, std::unique_ptr<Command> command) {
    if (closed_) {
        Finish(std::move(command), Fail(Errc::kClosed, "the storage was closed"));
        return;
    }
    parked_.push_back({at, std::move(command)});
    if (!timer_.armed() || at < timer_at_) {
        timer_at_ = at;
        timer_.Arm(std::max(at - loop_.Now(), Duration::zero()));
    }
}

void Client::ResumeParked() {
    auto parked = std::move(parked_);
    parked_.clear();
    for (Parked& one : parked) {
        one.command->Again();
        Route(std::move(one.command));
    }
}

void Client::OnTimer() {
    const Instant now = loop_.Now();
    auto parked = std::move(parked_);
    parked_.clear();
    for (Parked& one : parked) {
        if (one.at > now) {
            Add(one.at, std::move(one.command));
        } else if (one.command->deadline <= now) {
            // The last word of the server, if there was one, says why.
            if (!one.command->replies.empty()) {
                Finish(std::move(one.command), {});
            } else {
                Finish(std::move(one.command), Fail(Errc::kTimeout, "no answer in time"));
            }
        } else {
            one.command->Again();
            Route(std::move(one.command));
        }
    }
}

void Client::Finish(std::unique_ptr<Command> command, Result<void> result) {
    auto done = std::move(command->done);
    done(*command, std::move(result));
}

}  // namespace rr::kv::redis
