// `rr status`: whether the server answers, and whether its plugins serve.
#include <cstdio>

#include <simdjson.h>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/groups.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/remote.hpp"
#include "cmd/rr/workers_view.hpp"

namespace rr::cmd {

namespace {

// What the status plugin says of a plugin; it may be off, or not know it: then `otherwise` stands.
bool AskReady(rpc::Client& client, const std::string& plugin, bool otherwise) {
    Result<std::string> answer =
        client.Call("status.Ready", "{\"plugin\":" + JsonText(plugin) + "}");
    if (!answer) {
        return otherwise;
    }
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    int64_t code = 0;
    if (parser.parse(*answer).get(document) != simdjson::SUCCESS ||
        document["code"].get(code) != simdjson::SUCCESS) {
        return otherwise;
    }
    return code == 200;
}

std::string Flag(bool value) { return value ? "true" : "false"; }

std::string Json(const std::string& version, const ServerAddress& server,
                 const std::vector<GroupView>& groups, bool ready) {
    std::string list;
    for (const GroupView& group : groups) {
        size_t working = 0;
        for (const WorkerView& worker : group.workers) {
            working += worker.word == "working" ? 1 : 0;
        }
        list += (list.empty() ? "{" : ",{") + std::string("\"plugin\":") + JsonText(group.plugin) +
                ",\"ready\":" + Flag(group.ready) +
                ",\"workers\":" + std::to_string(group.workers.size()) +
                ",\"working\":" + std::to_string(working) +
                ",\"queued\":" + std::to_string(group.queued) +
                ",\"generation\":" + std::to_string(group.generation) +
                ",\"resetting\":" + Flag(group.resetting) + ",\"debug\":" + Flag(group.debug) +
                ",\"bootError\":" + JsonText(group.boot_error) +
                ",\"error\":" + JsonText(group.error) + "}";
    }
    return "{\"version\":" + JsonText(version) + ",\"address\":" + JsonText(server.address) +
           ",\"ready\":" + Flag(ready) + ",\"plugins\":[" + list + "]}";
}

}  // namespace

int Status(const CommandContext& context) {
    Result<Remote> remote = ConnectToServer(context);
    if (!remote) {
        return Failed(context, remote.error().message);
    }
    auto& [server, client] = *remote;
    Result<std::string> answer = client.Call("rpc.Version", "true");
    Result<std::string> version = answer ? ReadText(*answer) : std::move(answer);
    Result<std::vector<GroupView>> groups = Fail(Errc::kInternal, "");
    if (version) {
        groups = AskGroups(client, context.options.positional);
    }
    if (!version || !groups) {
        return Failed(context, Explained(server, !version ? version.error() : groups.error()));
    }
    bool ready = groups->size() >= context.options.positional.size();
    for (GroupView& group : *groups) {
        group.ready = AskReady(client, group.plugin, group.ready);
        ready = ready && group.ready;
    }
    if (context.options.json) {
        std::printf("%s\n", Json(*version, server, *groups, ready).c_str());
        return ready ? 0 : 1;
    }
    std::printf("server %s answers at %s\n", Harmless(*version).c_str(), server.address.c_str());
    for (const GroupView& group : *groups) {
        std::string name = Harmless(group.plugin);
        std::string about = group.error.empty() ? Summary(group) : OneLine(group.error);
        std::printf("%s: %s, %s\n", name.c_str(), group.ready ? "ready" : "not ready",
                    about.c_str());
        if (!group.boot_error.empty()) {
            std::printf("%s: the last start of a worker failed: %s\n", name.c_str(),
                        OneLine(group.boot_error).c_str());
        }
    }
    return ready ? 0 : 1;
}

}  // namespace rr::cmd
