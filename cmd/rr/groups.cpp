#include "cmd/rr/groups.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <simdjson.h>

#include "cmd/rr/json_text.hpp"

namespace rr::cmd {

namespace {

using Element = simdjson::dom::element;

// A field that is missing or of another type leaves the value as it is: newer servers say more.
void Read(Element from, std::string_view key, std::string& to) {
    std::string_view text;
    if (from[key].get(text) == simdjson::SUCCESS) {
        to = text;
    }
}
template <class T>
void Read(Element from, std::string_view key, T& to) {
    T value{};
    if (from[key].get(value) == simdjson::SUCCESS) {
        to = value;
    }
}

tl::unexpected<Error> Unreadable(std::string_view what) {
    return Fail(Errc::kProtocol, "the server's answer cannot be read: " + std::string(what));
}

WorkerView ReadWorker(Element from) {
    WorkerView worker;
    Read(from, "pid", worker.pid);
    Read(from, "status", worker.status);
    Read(from, "statusStr", worker.word);
    Read(from, "numExecs", worker.execs);
    Read(from, "created", worker.created_unix_ns);
    Read(from, "memoryUsage", worker.memory);
    Read(from, "CPUPercent", worker.cpu_percent);
    Read(from, "command", worker.command);
    Read(from, "task", worker.task);
    Read(from, "taskTime", worker.task_ns);
    return worker;
}

std::vector<WorkerView> ReadWorkerList(simdjson::dom::array from) {
    std::vector<WorkerView> workers;
    for (Element one : from) {
        workers.push_back(ReadWorker(one));
    }
    std::sort(workers.begin(), workers.end(),
              [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return workers;
}

GroupView ReadGroup(Element from) {
    GroupView group;
    group.detailed = true;
    Read(from, "plugin", group.plugin);
    Read(from, "queued", group.queued);
    Read(from, "generation", group.generation);
    Read(from, "resetting", group.resetting);
    Read(from, "debug", group.debug);
    Read(from, "ready", group.ready);
    Read(from, "bootError", group.boot_error);
    Read(from, "error", group.error);
    simdjson::dom::array workers;
    if (from["workers"].get(workers) == simdjson::SUCCESS) {
        group.workers = ReadWorkerList(workers);
    }
    return group;
}

// RoadRunner's way: the names, then each plugin for itself.
Result<std::vector<GroupView>> AskOneByOne(rpc::Client& client, std::vector<std::string> names) {
    if (names.empty()) {
        Result<std::string> list = client.Call("informer.List", "true");
        if (!list) {
            return Forward(list, "failed to get list of plugins");
        }
        Result<std::vector<std::string>> found = ReadNames(*list);
        if (!found) {
            return Forward(found);
        }
        names = std::move(*found);
        std::sort(names.begin(), names.end());
    }
    std::vector<GroupView> groups;
    for (const std::string& name : names) {
        GroupView group;
        group.plugin = name;
        bool known = true;
        Result<std::string> answer = client.Call("informer.Workers", JsonText(name));
        if (answer) {
            auto workers = ReadWorkers(*answer, known);
            if (!workers) {
                return Forward(workers);
            }
            group.workers = std::move(*workers);
        } else if (answer.error().code == Errc::kInvalid) {
            group.error = answer.error().message;
        } else {
            return Forward(answer);
        }
        if (Result<std::string> jobs = client.Call("informer.Jobs", JsonText(name))) {
            if (auto pipelines = ReadPipelines(*jobs)) {
                group.pipelines = std::move(*pipelines);
            }
        }
        group.ready =
            std::any_of(group.workers.begin(), group.workers.end(),
                        [](const WorkerView& w) { return w.status == 1 || w.status == 2; });
        if (known) {
            groups.push_back(std::move(group));
        }
    }
    return groups;
}

std::string Number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    return text;
}

std::string Flag(bool value) { return value ? "true" : "false"; }

std::string WriteWorker(const WorkerView& worker) {
    return "{\"pid\":" + std::to_string(worker.pid) +
           ",\"status\":" + std::to_string(worker.status) +
           ",\"statusStr\":" + JsonText(worker.word) +
           ",\"numExecs\":" + std::to_string(worker.execs) +
           ",\"created\":" + std::to_string(worker.created_unix_ns) +
           ",\"memoryUsage\":" + std::to_string(worker.memory) +
           ",\"CPUPercent\":" + Number(worker.cpu_percent) +
           ",\"command\":" + JsonText(worker.command) + ",\"task\":" + JsonText(worker.task) +
           ",\"taskTime\":" + std::to_string(worker.task_ns) + "}";
}

}  // namespace

bool GroupView::plain() const {
    return !workers.empty() && std::all_of(workers.begin(), workers.end(),
                                           [](const WorkerView& w) { return w.word.empty(); });
}

Result<std::vector<GroupView>> AskGroups(rpc::Client& client,
                                         const std::vector<std::string>& names) {
    Result<std::string> answer = client.Call("informer.Status", "\"\"");
    if (!answer && answer.error().code == Errc::kUnsupported) {
        return AskOneByOne(client, names);
    }
    if (!answer) {
        return Forward(answer);
    }
    Result<std::vector<GroupView>> all = ReadGroups(*answer);
    if (!all || names.empty()) {
        return all;
    }
    std::vector<GroupView> wanted;
    for (const std::string& name : names) {
        for (const GroupView& group : *all) {
            if (group.plugin == name) {
                wanted.push_back(group);
            }
        }
    }
    return wanted;
}

Result<std::vector<GroupView>> ReadGroups(std::string_view json) {
    simdjson::dom::parser parser;
    Element document;
    simdjson::dom::array list;
    if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS ||
        document["groups"].get(list) != simdjson::SUCCESS) {
        return Unreadable("informer.Status");
    }
    std::vector<GroupView> groups;
    for (Element one : list) {
        groups.push_back(ReadGroup(one));
    }
    return groups;
}

// known: the plugin is there; RoadRunner says null for one that is not.
Result<std::vector<WorkerView>> ReadWorkers(std::string_view json, bool& known) {
    simdjson::dom::parser parser;
    Element document;
    Element list;
    if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS ||
        document["workers"].get(list) != simdjson::SUCCESS) {
        return Unreadable("informer.Workers");
    }
    known = !list.is_null();
    simdjson::dom::array workers;
    if (known && list.get(workers) != simdjson::SUCCESS) {
        return Unreadable("informer.Workers");
    }
    return known ? ReadWorkerList(workers) : std::vector<WorkerView>();
}

Result<std::vector<PipelineView>> ReadPipelines(std::string_view json) {
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS) {
        return Unreadable("informer.Jobs");
    }
    std::vector<PipelineView> pipelines;
    simdjson::dom::array list;
    if (document.get(list) != simdjson::SUCCESS) {
        return pipelines;  // null
    }
    for (Element one : list) {
        PipelineView view;
        Read(one, "Pipeline", view.pipeline);
        Read(one, "Driver", view.driver);
        Read(one, "Queue", view.queue);
        Read(one, "Active", view.active);
        Read(one, "Delayed", view.delayed);
        Read(one, "Reserved", view.reserved);
        Read(one, "Ready", view.ready);
        pipelines.push_back(std::move(view));
    }
    std::sort(pipelines.begin(), pipelines.end(),
              [](const auto& a, const auto& b) { return a.pipeline < b.pipeline; });
    return pipelines;
}

Result<std::vector<std::string>> ReadNames(std::string_view json) {
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS) {
        return Unreadable("a list of names");
    }
    std::vector<std::string> names;
    simdjson::dom::array list;
    if (document.get(list) != simdjson::SUCCESS) {
        return names;  // null: none
    }
    for (Element one : list) {
        std::string_view name;
        if (one.get(name) == simdjson::SUCCESS) {
            names.emplace_back(name);
        }
    }
    return names;
}

Result<std::string> ReadText(std::string_view json) {
    simdjson::dom::parser parser;
    Element document;
    std::string_view text;
    if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS ||
        document.get(text) != simdjson::SUCCESS) {
        return Unreadable("a text");
    }
    return std::string(text);
}

std::string WriteGroups(const std::vector<GroupView>& groups) {
    std::string out = "{\"groups\":[";
    for (size_t i = 0; i < groups.size(); ++i) {
        const GroupView& group = groups[i];
        out += (i > 0 ? ",{" : "{") + std::string("\"plugin\":") + JsonText(group.plugin) +
               ",\"queued\":" + std::to_string(group.queued) +
               ",\"generation\":" + std::to_string(group.generation) +
               ",\"resetting\":" + Flag(group.resetting) + ",\"debug\":" + Flag(group.debug) +
               ",\"ready\":" + Flag(group.ready) + ",\"bootError\":" + JsonText(group.boot_error) +
               ",\"error\":" + JsonText(group.error) + ",\"workers\":[";
        for (size_t w = 0; w < group.workers.size(); ++w) {
            out += (w > 0 ? "," : "") + WriteWorker(group.workers[w]);
        }
        out += "]}";
    }
    return out + "]}";
}

}  // namespace rr::cmd
