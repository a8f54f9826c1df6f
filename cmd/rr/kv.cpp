// `rr kv get|set|del|ttl|stat|clear`: what a running server's storages keep.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include <simdjson.h>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/remote.hpp"
#include "cmd/rr/table.hpp"
#include "core/base/terminal.hpp"
#include "core/config/values.hpp"
#include "core/rpc/base64.hpp"

namespace rr::cmd {

namespace {

using simdjson::SUCCESS;

constexpr std::string_view kUsage =
    "command should be in form of: rr kv get STORAGE KEY, rr kv set STORAGE KEY VALUE [--ttl 60s], "
    "rr kv del STORAGE KEY..., rr kv ttl STORAGE KEY, rr kv stat [STORAGE...], rr kv clear STORAGE";

constexpr std::string_view kNoStorage = "no such storage: ";
constexpr std::string_view kOthers = " (those that are there: rr kv stat)";

struct Item {
    std::string key;
    std::string value;
    std::string timeout;
};

// The message kv.v1.Request.
std::string Request(const std::string& storage, const std::vector<Item>& items) {
    std::string list;
    for (const Item& item : items) {
        list += (list.empty() ? "{\"key\":" : ",{\"key\":") + JsonText(item.key);
        if (!item.value.empty()) {
            Buffer base64;
            rpc::WriteBase64(item.value, base64);
            list.append(",\"value\":\"").append(base64.view()).append("\"");
        }
        if (!item.timeout.empty()) {
            list += ",\"timeout\":" + JsonText(item.timeout);
        }
        list += "}";
    }
    return "{\"storage\":" + JsonText(storage) + ",\"items\":[" + list + "]}";
}

std::string Text(const simdjson::dom::element& object, const char* key) {
    std::string_view text;
    return object[key].get(text) == SUCCESS ? std::string(text) : std::string();
}

// The message kv.v1.Response.
std::vector<Item> ReadItems(const std::string& json) {
    std::vector<Item> items;
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::dom::array list;
    if (parser.parse(json).get(document) == SUCCESS && document["items"].get(list) == SUCCESS) {
        for (simdjson::dom::element one : list) {
            Item& item = items.emplace_back();
            item.key = Text(one, "key");
            item.timeout = Text(one, "timeout");
            (void)rpc::ReadBase64(Text(one, "value"), item.value);
        }
    }
    return items;
}

// Now and a time, as RFC 3339 in UTC, whole seconds upwards.
std::string EndAfter(Duration time) {
    const int64_t at = (UnixNanoseconds() + time.count() + 999'999'999) / 1'000'000'000;
    const std::time_t seconds = static_cast<std::time_t>(at);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    return text;
}

// `rpc_set`, `boltdb_driver_set`: what a program looks for in an error.
bool IsOperation(std::string_view words) {
    return words.find('_') != words.npos &&
           words.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == words.npos;
}

// An error of a method without its operations: people know what they asked.
std::string WithoutOperations(std::string_view text) {
    constexpr std::string_view kBetween = ": ";
    std::string out;
    while (!text.empty()) {
        const size_t end = std::min(text.find(kBetween), text.size());
        if (const std::string_view part = text.substr(0, end); !IsOperation(part)) {
            out.append(out.empty() ? "" : kBetween).append(part);
        }
        text.remove_prefix(std::min(end + kBetween.size(), text.size()));
    }
    return out;
}

std::string ReadStandardInput() {
    std::string all;
    char piece[65536];
    for (size_t size = 0; (size = std::fread(piece, 1, sizeof piece, stdin)) > 0;) {
        all.append(piece, size);
    }
    return all;
}

// One run of the command: its arguments and the server.
class KvCommand {
public:
    explicit KvCommand(const CommandContext& context)
        : context_(context), words_(context.options.positional) {}

    int Run() {
        const std::string what = words_.empty() ? "" : words_.front();
        const size_t given = words_.size();
        const bool known = (what == "get" && given == 3) || (what == "set" && given == 4) ||
                           (what == "del" && given >= 3) || (what == "ttl" && given == 3) ||
                           what == "stat" || (what == "clear" && given == 2);
        if (!known) {
            return Failed(context_, kUsage);
        }
        if (what == "set") {
            if (auto read = ReadSet(); !read) {
                return Failed(context_, read.error().message);
            }
        }
        Result<Remote> remote = ConnectToServer(context_);
        if (!remote) {
            return Failed(context_, remote.error().message);
        }
        remote_ = &*remote;
        if (what == "stat") {
            return Stat();
        }
        return what == "get"   ? Get()
               : what == "ttl" ? Ttl()
               : what == "set" ? Change("kv.Set", {set_})
               : what == "del" ? Change("kv.Delete", Keys())
                               : Change("kv.Clear", {});
    }

private:
    Result<void> ReadSet() {
        set_ = {words_[2], words_[3] == "-" ? ReadStandardInput() : words_[3], ""};
        if (context_.options.ttl.empty()) {
            return {};
        }
        const bool bare = context_.options.ttl.find_first_not_of("0123456789") == std::string::npos;
        Result<Duration> ttl = config::ParseDuration(context_.options.ttl + (bare ? "s" : ""));
        if (!ttl) {
            return Forward(ttl, "--ttl");
        }
        if (*ttl <= Duration()) {
            return Fail(Errc::kInvalid,
                        "--ttl: a time above 0; without --ttl the key stays, rr kv del removes it");
        }
        set_.timeout = EndAfter(*ttl);
        return {};
    }

    std::vector<Item> Keys() const {
        std::vector<Item> items;
        for (size_t i = 2; i < words_.size(); ++i) {
            items.push_back({words_[i], "", ""});
        }
        return items;
    }

    Result<std::vector<Item>> Ask(std::string_view method, const std::vector<Item>& items) {
        Result<std::string> answer = remote_->client.Call(method, Request(words_[1], items));
        if (!answer) {
            return Forward(answer);
        }
        return ReadItems(*answer);
    }

    int Refused(const Error& error) {
        if (error.code == Errc::kUnsupported) {
            return Failed(context_, "the server at " + remote_->server.address +
                                        " does not do that: its configuration has no `kv` section, "
                                        "or its version is another (" +
                                        OneLine(error.message) + ")");
        }
        if (error.code != Errc::kInvalid || words_.size() < 2) {
            return Failed(context_, OneLine(Explained(remote_->server, error)));
        }
        const std::string why = WithoutOperations(OneLine(error.message));
        return Failed(context_, why.starts_with(kNoStorage)
                                    ? why + std::string(kOthers)
                                    : "storage " + Harmless(words_[1]) + ": " + why);
    }

    int NoSuchKey() { return Failed(context_, "no such key: " + Harmless(words_[2])); }

    int Change(std::string_view method, const std::vector<Item>& items) {
        auto done = Ask(method, items);
        if (!done) {
            return Refused(done.error());
        }
        if (context_.options.json) {
            std::printf("{\"ok\":true}\n");
        }
        return 0;
    }

    // The value's own bytes; a terminal gets a line end, and nothing that moves its cursor.
    int Get() {
        auto found = Ask("kv.MGet", Keys());
        if (!found) {
            return Refused(found.error());
        }
        if (found->empty()) {
            return NoSuchKey();
        }
        const std::string& value = found->front().value;
        if (context_.options.json) {
            Buffer base64;
            rpc::WriteBase64(value, base64);
            std::printf("{\"key\":%s,\"value\":\"%.*s\"}\n", JsonText(words_[2]).c_str(),
                        static_cast<int>(base64.size()), base64.data());
        } else if (ColoursOn()) {
            std::printf("%s\n", Harmless(value).c_str());
        } else {
            std::fwrite(value.data(), 1, value.size(), stdout);
        }
        return 0;
    }

    int Ttl() {
        auto found = Ask("kv.TTL", Keys());
        if (!found) {
            return Refused(found.error());
        }
        std::string timeout = found->empty() ? "" : found->front().timeout;
        if (found->empty()) {
            // Some drivers name only keys that have an end.
            found = Ask("kv.Has", Keys());
            if (!found) {
                return Refused(found.error());
            }
            if (found->empty()) {
                return NoSuchKey();
            }
        }
        if (context_.options.json) {
            std::printf("{\"key\":%s,\"timeout\":%s}\n", JsonText(words_[2]).c_str(),
                        timeout.empty() ? "null" : JsonText(timeout).c_str());
        } else {
            std::printf("%s\n", timeout.empty() ? "never" : Harmless(timeout).c_str());
        }
        return 0;
    }

    int Stat() {
        Result<std::string> answer = remote_->client.Call("kv.Stat", "null");
        if (!answer) {
            return Refused(answer.error());
        }
        simdjson::dom::parser parser;
        simdjson::dom::array list;
        if (parser.parse(*answer).get(list) != SUCCESS) {
            return Failed(context_, "the server's answer is not understood");
        }
        Table table;
        table.columns = {{"STORAGE"}, {"DRIVER"},  {"KEYS"},   {"SIZE"},
                         {"HITS"},    {"MISSES"},  {"CALLS"},  {"MEAN TIME"},
                         {"ERRORS"},  {"EVICTED"}, {"EXPIRED"}};
        std::string json;
        for (simdjson::dom::element one : list) {
            if (!IsAsked(Text(one, "storage"))) {
                continue;
            }
            json += (json.empty() ? "" : ",") + simdjson::minify(one);
            table.rows.push_back(Row(one));
        }
        if (table.rows.empty() && words_.size() > 1) {
            return Failed(context_, std::string(kNoStorage) + Harmless(words_[1]));
        }
        if (context_.options.json) {
            std::printf("{\"storages\":[%s]}\n", json.c_str());
            return 0;
        }
        for (const std::string& line : table.Boxed(ColoursOn())) {
            std::printf("%s\n", line.c_str());
        }
        return 0;
    }

    bool IsAsked(const std::string& storage) const {
        return words_.size() < 2 ||
               std::find(words_.begin() + 1, words_.end(), storage) != words_.end();
    }

    static std::vector<Cell> Row(const simdjson::dom::element& one) {
        const auto number = [&](const char* key) {
            int64_t value = -1;
            return one[key].get(value) == SUCCESS ? value : -1;
        };
        const auto count = [&](const char* key) {
            const int64_t value = number(key);
            return Cell{value < 0 ? "-" : WithCommas(static_cast<uint64_t>(value))};
        };
        const int64_t bytes = number("bytes");
        const int64_t calls = number("calls");
        double seconds = 0;
        char mean[32] = "-";
        if (calls > 0 && one["seconds"].get(seconds) == SUCCESS) {
            std::snprintf(mean, sizeof mean, "%.1f us", seconds * 1e6 / static_cast<double>(calls));
        }
        return {{Harmless(Text(one, "storage"))},
                {Harmless(Text(one, "driver"))},
                count("keys"),
                {bytes < 0 ? "-" : MemorySize(static_cast<uint64_t>(bytes))},
                count("hits"),
                count("misses"),
                count("calls"),
                {mean},
                count("errors"),
                count("evictions"),
                count("expired")};
    }

    const CommandContext& context_;
    const std::vector<std::string>& words_;
    Item set_;
    Remote* remote_ = nullptr;
};

}  // namespace

int Kv(const CommandContext& context) { return KvCommand(context).Run(); }

}  // namespace rr::cmd
