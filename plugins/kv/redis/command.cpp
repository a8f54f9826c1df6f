#include "plugins/kv/redis/command.hpp"

#include <utility>

namespace rr::kv::redis {

std::unique_ptr<Call> RedisDialect::Greet() {
    reader_.Reset();
    auto command = std::make_unique<Command>();
    command->answers = 0;
    const auto say = [&command](std::initializer_list<std::string_view> words) {
        AppendCommand(words, command->wire);
        ++command->answers;
    };
    if (!greeting_.password.empty() && greeting_.username.empty()) {
        say({"AUTH", greeting_.password});
    } else if (!greeting_.password.empty()) {
        say({"AUTH", greeting_.username, greeting_.password});
    }
    if (greeting_.db != 0) {
        say({"SELECT", std::to_string(greeting_.db)});
    }
    if (greeting_.replica) {
        say({"READONLY"});
    }
    if (greeting_.want_master) {
        say({"ROLE"});
    }
    if (command->answers == 0) {
        return nullptr;
    }
    return command;
}

Result<void> RedisDialect::Greeted(Call& greeting) {
    auto& command = static_cast<Command&>(greeting);
    for (const Reply& reply : command.replies) {
        if (reply.error()) {
            return Fail(Errc::kDenied, reply.text);
        }
    }
    if (greeting_.want_master) {
        const Reply& role = command.reply();
        if (role.elements.empty() || role.elements[0].text != "master") {
            return Fail(Errc::kDenied, "what the sentinel names is no master");
        }
    }
    return {};
}

Result<bool> RedisDialect::Read(Call& call) {
    auto& command = static_cast<Command&>(call);
    while (command.replies.size() < command.answers) {
        Reply reply;
        Result<bool> whole = reader_.Next(reply);
        if (!whole || !*whole) {
            return whole;
        }
        command.replies.push_back(std::move(reply));
    }
    return true;
}

}  // namespace rr::kv::redis
