// `rr jobs --list | --pause a,b | --resume a,b | --destroy a,b`.
#include <cstdio>

#include <simdjson.h>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/remote.hpp"
#include "cmd/rr/table.hpp"

namespace rr::cmd {

namespace {

struct Order {
    std::string_view flag;
    std::string_view method;
};

// RoadRunner's precedence, if several are given.
Order Chosen(const Options& options) {
    if (options.pause) {
        return {"pause", "jobs.Pause"};
    }
    if (options.destroy) {
        return {"destroy", "jobs.Destroy"};
    }
    if (options.resume) {
        return {"resume", "jobs.Resume"};
    }
    return options.list ? Order{"list", "jobs.List"} : Order{};
}

std::vector<std::string> SplitNames(const std::string& text) {
    std::vector<std::string> names;
    for (size_t at = 0; at <= text.size();) {
        size_t end = std::min(text.find(',', at), text.size());
        if (end > at) {
            names.push_back(text.substr(at, end - at));
        }
        at = end + 1;
    }
    return names;
}

// The message jobs.v1.Pipelines.
std::string Pipelines(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ",") + JsonText(name);
    }
    return "{\"pipelines\":[" + list + "]}";
}

std::vector<std::string> ReadPipelineNames(const std::string& json) {
    std::vector<std::string> names;
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::dom::array list;
    if (parser.parse(json).get(document) == simdjson::SUCCESS &&
        document["pipelines"].get(list) == simdjson::SUCCESS) {
        for (simdjson::dom::element one : list) {
            std::string_view name;
            if (one.get(name) == simdjson::SUCCESS) {
                names.emplace_back(name);
            }
        }
    }
    return names;
}

}  // namespace

int Jobs(const CommandContext& context) {
    const Options& options = context.options;
    Order order = Chosen(options);
    if (order.flag.empty()) {
        return Failed(context,
                      "command should be in form of: `rr jobs --<destroy/resume/pause> "
                      "pipe1,pipe2` or `rr jobs --list`");
    }
    const bool list = order.flag == "list";
    std::vector<std::string> names;
    if (!list) {
        names = options.positional.empty() ? names : SplitNames(options.positional.front());
        if (names.empty()) {
            return Failed(context, "incorrect command usage, should be: rr jobs --" +
                                       std::string(order.flag) + " pipe1,pipe2");
        }
    }
    Result<Remote> remote = ConnectToServer(context);
    if (!remote) {
        return Failed(context, remote.error().message);
    }
    auto& [server, client] = *remote;
    Result<std::string> answer = client.Call(order.method, Pipelines(names));
    if (!answer && answer.error().code == Errc::kUnsupported) {
        return Failed(context, "the server at " + server.address +
                                   " has no jobs: its configuration has no `jobs` section, or its "
                                   "version does not serve one");
    }
    if (!answer) {
        return Failed(context, Explained(server, answer.error()));
    }
    if (list || order.flag == "destroy") {
        names = ReadPipelineNames(*answer);
    }
    if (options.silent && !list) {
        return 0;
    }
    Table table;
    table.columns = {{"PIPELINE ( S )"}};
    for (const std::string& name : names) {
        table.rows.push_back({{Harmless(name)}});
    }
    for (const std::string& line : table.Boxed(ColoursOn())) {
        std::printf("%s\n", line.c_str());
    }
    return 0;
}

}  // namespace rr::cmd
