#include "plugins/kv/redis/single.hpp"

#include <utility>

#include "plugins/kv/redis/slots.hpp"

namespace rr::kv::redis {

Sentinels::Sentinels(Loop& loop, const RedisConfig& config) : LoopBound(loop), config_(config) {
    Greeting greeting;
    greeting.password = config.sentinel_password;
    LinkSettings settings = config.link;
    settings.max_retries = 0;  // whoever asks asks again
    for (const net::Address& address : config.addrs) {
        links_.push_back(std::make_unique<Link>(loop, settings, address,
                                                std::make_unique<RedisDialect>(greeting),
                                                static_cast<LinkOwner&>(*this)));
    }
}

void Sentinels::Close() {
    Forget();
    for (auto& link : links_) {
        link->Close();
    }
}

void Sentinels::Locate(Located located) {
    located_ = std::move(located);
    const uint64_t question = ++question_;
    open_ = links_.size();
    for (auto& link : links_) {
        auto command = std::make_unique<Command>();
        AppendCommand({"SENTINEL", "get-master-addr-by-name", config_.master_name}, command->wire);
        command->deadline = loop_.Now() + config_.read_timeout;
        command->done = [this, question](Command& answered, Result<void> result) {
            if (question == question_) {
                OnReply(answered, std::move(result));
            }
        };
        link->Submit(std::move(command));
    }
}

void Sentinels::OnAnswer(Link&, std::unique_ptr<Call> call, Result<void> result) {
    auto& command = static_cast<Command&>(*call);
    command.done(command, std::move(result));
}

void Sentinels::OnReply(Command& command, Result<void> result) {
    --open_;
    if (!located_) {
        return;
    }
    Result<net::Address> master =
        result ? ParseMaster(command.reply()) : Result<net::Address>(Forward(result));
    if (!master && open_ > 0) {
        return;
    }
    Located told = std::move(located_);
    located_ = nullptr;
    if (!master) {
        told(Forward(master, "sentinel"));
        return;
    }
    told(std::move(master));
}

Single::Single(const ClientContext& context, const RedisConfig& config) : Client(context, config) {
    Greeting greeting{config.username, config.password, config.db};
    greeting.want_master = config.mode == RedisConfig::Mode::kSentinel;
    link_ = MakeLink(config.addrs.front(), greeting, config.link);
    if (greeting.want_master) {
        sentinels_ = std::make_unique<Sentinels>(context.loop, config);
        link_->SetLocator(*sentinels_);
    }
}

// A master that became a replica: the sentinels know the new one.
bool Single::Redirected(Link& link, std::unique_ptr<Command>& command) {
    if (sentinels_ != nullptr && command->reply().error("READONLY")) {
        link.Restart(Error(Errc::kClosed, "is no longer the master"));
    }
    return false;
}

void Single::Lost(std::unique_ptr<Command> command, const Error& why) {
    Finish(std::move(command), Result<void>(tl::unexpected<Error>(why)));
}

void Single::CloseLinks() {
    link_->Close();
    if (sentinels_ != nullptr) {
        sentinels_->Close();
    }
}

}  // namespace rr::kv::redis
