// The service in front of its stores: which errors, in which words, and what is counted.
#include "plugins/kv/kv_service.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "plugins/kv/memory/memory_store.hpp"

using namespace rr;
using namespace rr::kv;

namespace {

class Call final : public RpcCall {
public:
    void Answer(const RpcValue& value) override { values = value; }
    void AnswerMessage(const google::protobuf::MessageLite&) override { FAIL("no message"); }
    void AnswerBytes(Bytes bytes) override {
        REQUIRE_FALSE(answer);
        answer = std::string(bytes);
    }
    void AnswerError(std::string_view text) override {
        REQUIRE_FALSE(answer);
        answer = "error: " + std::string(text);
    }
    std::optional<std::string> answer;
    RpcValue values;
};

// Holds its calls until it is told what to answer.
class SlowStore final : public Store {
public:
    std::string_view operations() const override { return "slow_plugin"; }
    void Open(Callback<void(Result<void>)> opened) override { opened({}); }
    void Run(Operation, std::span<const Item> given, Done done) override {
        for (const Item& item : given) {
            expires.push_back(item.expires);
        }
        waiting.push_back(std::move(done));
    }
    void Close(Callback<void()> closed) override { closed(); }
    StoreStats stats() const override { return {}; }

    std::vector<int64_t> expires;
    std::vector<Done> waiting;
};

class Desk {
public:
    Desk() {
        Add("mem", "memory", MakeMemoryStore(0, loop));
        auto made = std::make_unique<SlowStore>();
        slow = made.get();
        Add("slow", "slow", std::move(made));
        service.Describe(methods);
    }
    void Add(const char* name, const char* driver, std::unique_ptr<Store> store) {
        auto storage = std::make_unique<Storage>();
        storage->name = name;
        storage->driver = driver;
        storage->store = std::move(store);
        storages.push_back(std::move(storage));
    }
    Call& Send(std::string_view method, const std::string& bytes) {
        for (RpcMethod& one : methods) {
            if (one.name == method) {
                RpcArgument argument;
                argument.bytes = bytes;
                calls.emplace_back();
                one.call(argument, RpcReply(calls.back()));
                return calls.back();
            }
        }
        FAIL("no such method");
        return calls.back();
    }
    std::string Ask(std::string_view method, const std::string& bytes) {
        Call& call = Send(method, bytes);
        REQUIRE(call.answer);
        return *call.answer;
    }

    Loop loop{"main"};
    Storages storages;
    SlowStore* slow = nullptr;
    KvService service{storages};
    std::vector<RpcMethod> methods;
    std::deque<Call> calls;
};

std::string Field(int number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) +
           bytes;
}
std::string Item1(const std::string& key, const std::string& value = "",
                  const std::string& timeout = "") {
    return Field(2, Field(1, key) + (value.empty() ? "" : Field(2, value)) +
                        (timeout.empty() ? "" : Field(3, timeout)));
}
std::string In(const std::string& storage) { return Field(1, storage); }

}  // namespace

TEST_CASE("kv: the methods under RoadRunner's names, and ours") {
    Desk desk;
    std::string names;
    for (const RpcMethod& method : desk.methods) {
        names.append(method.name).append(" ");
    }
    REQUIRE(names == "Has Set MGet MExpire TTL Delete Clear Stat ");
}

TEST_CASE("kv: set, get and the rest over messages") {
    Desk desk;
    REQUIRE(desk.Ask("Set", In("mem") + Item1("k", "v") + Item1("l", "w")) == "");
    REQUIRE(desk.Ask("MGet", In("mem") + Item1("k") + Item1("z")) ==
            Field(1, Field(1, "k") + Field(2, "v")));
    REQUIRE(desk.Ask("Has", In("mem") + Item1("l") + Item1("z")) == Field(1, Field(1, "l")));
    REQUIRE(desk.Ask("TTL", In("mem") + Item1("l")) == Field(1, Field(1, "l")));
    const std::string time = "2099-01-01T00:00:00+00:00";
    REQUIRE(desk.Ask("MExpire", In("mem") + Item1("l", "", time)) == "");
    REQUIRE(desk.Ask("TTL", In("mem") + Item1("l")) == Field(1, Field(1, "l") + Field(3, time)));
    REQUIRE(desk.Ask("Delete", In("mem") + Item1("l")) == "");
    REQUIRE(desk.Ask("Has", In("mem") + Item1("l")) == "");
    REQUIRE(desk.Ask("Clear", In("mem")) == "");
    REQUIRE(desk.Ask("Has", In("mem") + Item1("k")) == "");
}

TEST_CASE("kv: a storage that is not there, in RoadRunner's words") {
    Desk desk;
    for (auto [method, operation] :
         {std::pair("Has", "rpc_has"), std::pair("MGet", "rpc_mget"),
          std::pair("MExpire", "rpc_mexpire"), std::pair("TTL", "rpc_ttl"),
          std::pair("Delete", "rcp_delete"), std::pair("Clear", "rcp_delete")}) {
        REQUIRE(desk.Ask(method, In("nope") + Item1("k")) ==
                "error: " + std::string(operation) + ": no such storage: nope");
        REQUIRE(desk.Ask(method, "") ==
                "error: " + std::string(operation) + ": no storage provided");
    }
    REQUIRE(desk.Ask("Set", In("nope")) == "error: rpc_set: no such storage: nope");
    REQUIRE(desk.Ask("Set", "") == "error: rpc_set: no such storage: ");
}

TEST_CASE("kv: a blank key is refused in RoadRunner's words") {
    Desk desk;
    for (auto [method, words] :
         {std::pair("Has", "rpc_has|has"), std::pair("MGet", "rpc_mget|mget"),
          std::pair("TTL", "rpc_ttl|ttl"), std::pair("Delete", "rcp_delete|delete")}) {
        const std::string both = words;
        const std::string operation = both.substr(0, both.find('|'));
        const std::string driver = both.substr(both.find('|') + 1);
        for (const char* key : {"", " ", " \t"}) {
            REQUIRE(desk.Ask(method, In("mem") + Item1("k") + Item1(key)) ==
                    "error: " + operation + ": key can't be empty string:\n\tin_memory_plugin_" +
                        driver);
        }
    }
}

TEST_CASE("kv: all items of a call are checked before anything changes") {
    Desk desk;
    desk.Ask("Set", In("mem") + Item1("a", "old") + Item1("b", "old"));
    REQUIRE(desk.Ask("Set", In("mem") + Item1("a", "new") + Item1("b", "new", "10")) ==
            "error: rpc_set: parsing time \"10\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "
            "\"10\" as \"2006\"");
    desk.Ask("Delete", In("mem") + Item1("a") + Item1(" "));
    REQUIRE(desk.Ask("MGet", In("mem") + Item1("a") + Item1("b")) ==
            Field(1, Field(1, "a") + Field(2, "old")) + Field(1, Field(1, "b") + Field(2, "old")));
    REQUIRE(
        desk.Ask("MExpire", In("mem") + Item1("a", "", "2001-01-01T00:00:00Z") + Item1("b")) ==
        "error: rpc_mexpire:\n\tin_memory_plugin_mexpire: timeout for MExpire is empty or key is "
        "empty");
    REQUIRE(desk.Ask("Has", In("mem") + Item1("a")) == Field(1, Field(1, "a")));
}

TEST_CASE("kv: each item has its own time") {
    Desk desk;
    desk.Send("Set", In("slow") + Item1("a", "v", "1970-01-01T00:00:02Z") +
                         Item1("b", "v", "1970-01-01T00:00:02Z") + Item1("c", "v") +
                         Item1("d", "v", "1970-01-01T00:00:03Z"));
    REQUIRE(desk.slow->expires ==
            std::vector<int64_t>{2'000'000'000, 2'000'000'000, 0, 3'000'000'000});
    desk.slow->waiting[0](Found());
}

TEST_CASE("kv: answers come as the store gives them, errors with its operations in front") {
    Desk desk;
    Call& first = desk.Send("TTL", In("slow") + Item1("a"));
    Call& second = desk.Send("MGet", In("slow") + Item1("a") + Item1("b"));
    REQUIRE_FALSE(first.answer);
    Found found;
    found.AddValue("b", "v");
    desk.slow->waiting[1](std::move(found));
    REQUIRE(second.answer == Field(1, Field(1, "b") + Field(2, "v")));
    desk.slow->waiting[0](Fail(Errc::kUnsupported, "not valid request for it"));
    REQUIRE(first.answer == "error: rpc_ttl:\n\tslow_plugin_ttl: not valid request for it");
    const Storage& storage = *desk.storages[1];
    REQUIRE(storage.hits == 1);
    REQUIRE(storage.misses == 1);
    REQUIRE(storage.calls() == 2);
    REQUIRE(storage.errors() == 1);
}

TEST_CASE("kv: after the end of service every call is told so") {
    Desk desk;
    desk.service.Refuse();
    REQUIRE(desk.Ask("Has", In("mem") + Item1("a")) == "error: rpc_has: the server is stopping");
}

TEST_CASE("kv: each call has its time, of some that are answered at once another's") {
    Desk desk;
    Storage& memory = *desk.storages[0];
    OperationStats& set = memory.operations[static_cast<size_t>(Operation::kSet)];
    for (uint64_t call = 1; call <= 3 * Storage::kMeasured; ++call) {
        const Duration before = set.time;
        desk.Ask("Set", In("mem") + Item1("a", "v"));
        REQUIRE(set.calls == call);
        REQUIRE(set.last > Duration());
        REQUIRE(set.time - before == set.last);
    }
    OperationStats& has = desk.storages[1]->operations[static_cast<size_t>(Operation::kHas)];
    for (size_t call = 0; call < 3; ++call) {
        has.last = Duration();
        desk.Send("Has", In("slow") + Item1("a"));
        desk.slow->waiting[call](Found());
        REQUIRE(has.last > Duration());
    }
}

TEST_CASE("kv: stat and metrics tell of each storage") {
    Desk desk;
    desk.Ask("Set", In("mem") + Item1("a", "v"));
    desk.Ask("MGet", In("mem") + Item1("a") + Item1("b"));
    const RpcValue::List rows = desk.Send("Stat", "").values.list();
    REQUIRE(rows.size() == 2);
    REQUIRE(rows[0][0].text() == "mem");
    REQUIRE(rows[0][1].text() == "memory");
    REQUIRE(rows[0][2].integer() == 1);
    REQUIRE(rows[0][4].natural() == 1);
    REQUIRE(rows[0][5].natural() == 1);
    REQUIRE(rows[0][8].natural() == 2);
    REQUIRE(rows[1][2].integer() == -1);

    std::vector<MetricFamily> families;
    CollectMetrics(desk.storages, families);
    std::map<std::string, const MetricFamily*> by_name;
    for (const MetricFamily& family : families) {
        by_name[family.name] = &family;
    }
    REQUIRE(by_name.at("rr_kv_keys")->samples.size() == 1);  // slow does not know
    REQUIRE(by_name.at("rr_kv_hits_total")->samples.size() == 2);
    REQUIRE(by_name.at("rr_kv_hits_total")->samples[0].value == 1);
    REQUIRE(by_name.at("rr_kv_misses_total")->samples[0].value == 1);
    const MetricSample& set = by_name.at("rr_kv_calls_total")->samples[1];
    REQUIRE(set.labels == std::vector<std::pair<std::string, std::string>>{
                              {"storage", "mem"}, {"driver", "memory"}, {"operation", "set"}});
    REQUIRE(set.value == 1);
    REQUIRE(by_name.at("rr_kv_call_seconds_total")->samples[1].value > 0);
}
