// `rr workers` and, by its name in RoadRunner 1.x, `rr http:workers`.
#include <algorithm>
#include <cstdio>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/groups.hpp"
#include "cmd/rr/live.hpp"
#include "cmd/rr/remote.hpp"
#include "cmd/rr/workers_view.hpp"
#include "core/base/process.hpp"

namespace rr::cmd {

namespace {

constexpr Duration kLegacyPeriod = std::chrono::milliseconds(500);

std::string Joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

// The names that were asked for and are not there.
std::vector<std::string> Missing(const std::vector<std::string>& names,
                                 const std::vector<GroupView>& groups) {
    std::vector<std::string> missing;
    for (const std::string& name : names) {
        if (std::none_of(groups.begin(), groups.end(),
                         [&name](const GroupView& group) { return group.plugin == name; })) {
            missing.push_back(name);
        }
    }
    return missing;
}

int Once(const CommandContext& context, const ServerAddress& server,
         const std::vector<std::string>& names, bool legacy) {
    Result<rpc::Client> client = ConnectTo(server);
    if (!client) {
        return Failed(context, client.error().message);
    }
    Result<std::vector<GroupView>> groups = AskGroups(*client, names);
    if (!groups) {
        return Failed(context, Explained(server, groups.error()));
    }
    std::vector<std::string> missing = Missing(names, *groups);
    if (context.options.json) {
        std::printf("%s\n", WriteGroups(*groups).c_str());
    } else {
        ViewStyle style;
        style.colours = ColoursOn();
        style.legacy = legacy;
        style.now_unix_ns = UnixNanoseconds();
        for (const std::string& line : WorkerLines(*groups, style)) {
            std::printf("%s\n", line.c_str());
        }
    }
    std::fflush(stdout);
    if (!missing.empty()) {
        Console::Error("the server at " + server.address +
                       " has no workers of: " + Joined(missing));
        return 1;
    }
    return 0;
}

int Show(const CommandContext& context, std::vector<std::string> names, bool legacy) {
    Result<ServerAddress> server = FindServer(context);
    if (!server) {
        return Failed(context, server.error().message);
    }
    const char* kind = process::Variable("TERM");
    bool able = process::IsTerminal(1) && kind != nullptr && std::string_view(kind) != "dumb";
    if (!context.options.interactive || context.options.json || !able) {
        return Once(context, *server, names, legacy);
    }
    // A server that is not there is said plainly; later it may go and come back.
    if (Result<rpc::Client> client = ConnectTo(*server); !client) {
        return Failed(context, client.error().message);
    }
    auto terminal = Terminal::Open();
    if (!terminal) {
        return Once(context, *server, names, legacy);
    }
    Live::Choice choice;
    choice.plugins = std::move(names);
    choice.legacy = legacy;
    choice.colours = ColoursOn();
    if (legacy) {
        choice.period = kLegacyPeriod;
    }
    Live(std::move(*server), std::move(choice), std::move(*terminal)).Run();
    return 0;
}

}  // namespace

int Workers(const CommandContext& context) {
    return Show(context, context.options.positional, false);
}

int HttpWorkers(const CommandContext& context) { return Show(context, {"http"}, true); }

}  // namespace rr::cmd
