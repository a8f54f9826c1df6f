// What every driver must do, as one suite: a driver's test makes a store and calls Conform.
//
//   TEST_CASE("kv: redis keeps the promises of a store") {
//       Bench bench(loop, MakeRedisStore(...));
//       Conform(bench, {.times = false, ...});
//   }
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/loop.hpp"
#include "core/base/time.hpp"
#include "plugins/kv/request.hpp"
#include "plugins/kv/store.hpp"
#include "plugins/kv/timeout.hpp"

namespace rr::kv {

// Where drivers may differ.
struct Promises {
    bool ends_are_told = true;       // TTL is answered at all
    bool text_is_kept = true;        // TTL gives the client's own text
    bool endless_in_ttl = false;     // TTL names keys without an end
    bool empty_key = false;          // Set takes the key ""
    bool fine_times = true;          // ends are kept to the millisecond
    bool touch_misses_fail = false;  // MExpire of a key that is not there is an error
    std::string no_timeout = "should set timeout and at least one key";  // MExpire's refusal
};

// A store with calls that wait for their answers.
class Bench {
public:
    struct Answer {
        std::string error;
        std::map<std::string, std::string> values;
        std::map<std::string, std::string> timeouts;
    };

    Bench(Loop& main, std::unique_ptr<Store> made) : loop(main), store(std::move(made)) {
        std::optional<Result<void>> opened;
        store->Open([&](Result<void> result) { opened = std::move(result); });
        REQUIRE(loop.RunUntil([&] { return opened.has_value(); }));
        INFO((*opened ? "" : opened->error().message));
        REQUIRE(opened->has_value());
    }
    ~Bench() { Close(); }

    void Close() {
        if (store == nullptr) {
            return;
        }
        bool closed = false;
        store->Close([&] { closed = true; });
        loop.RunUntil([&] { return closed; });
        store.reset();
    }

    Answer Run(Operation operation, const std::vector<Item>& items = {}) {
        std::optional<Result<Found>> found;
        store->Run(operation, items, [&](Result<Found> result) { found = std::move(result); });
        REQUIRE(loop.RunUntil([&] { return found.has_value(); }));
        Answer answer;
        if (!*found) {
            answer.error = found->error().message;
            return answer;
        }
        // A request's field 2 has the items that are field 1 of a response.
        std::string wire((*found)->wire());
        Request read;
        size_t count = 0;
        for (Bytes rest = wire; !rest.empty(); ++count) {
            size_t size = 0, at = 1;
            int shift = 0;
            do {
                size |= static_cast<size_t>(rest[at] & 0x7f) << shift;
                shift += 7;
            } while ((rest[at++] & 0x80) != 0);
            std::string item(rest.substr(0, at + size));
            item[0] = 2 << 3 | 2;
            REQUIRE(ReadRequest(item, read));
            REQUIRE(read.items.size() == 1);
            answer.values[std::string(read.items[0].key)] = read.items[0].value;
            if (!read.items[0].timeout.empty()) {
                answer.timeouts[std::string(read.items[0].key)] = read.items[0].timeout;
            }
            rest.remove_prefix(at + size);
        }
        REQUIRE((*found)->count() == count);
        return answer;
    }

    void Set(const std::string& key, const std::string& value, int64_t expires = 0) {
        const std::string text = expires == 0 ? "" : FormatTimeout(expires);
        REQUIRE(Run(Operation::kSet, {{key, value, text, expires}}).error == "");
    }
    // `none` for a key that is not there.
    std::string Get(const std::string& key) {
        Answer answer = Run(Operation::kMGet, {{.key = key}});
        REQUIRE(answer.error == "");
        auto found = answer.values.find(key);
        return found == answer.values.end() ? "none" : found->second;
    }
    bool Has(const std::string& key) {
        return Run(Operation::kHas, {{.key = key}}).values.contains(key);
    }
    std::string Timeout(const std::string& key) {
        return Run(Operation::kTtl, {{.key = key}}).timeouts[key];
    }
    void WaitUntilGone(const std::string& key) {
        const Instant limit = Clock::now() + std::chrono::seconds(20);
        while (Has(key)) {
            REQUIRE(Clock::now() < limit);
        }
        REQUIRE(Get(key) == "none");
    }

    Loop& loop;
    std::unique_ptr<Store> store;
};

inline int64_t FromNow(std::chrono::milliseconds time) {
    return UnixNanoseconds() + Duration(time).count();
}

inline void Conform(Bench& bench, const Promises& promises) {
    using namespace std::chrono_literals;
    // Whole seconds: some keep no less.
    const int64_t later = FromNow(24h) / 1'000'000'000 * 1'000'000'000;
    const int64_t past = FromNow(-24h);
    REQUIRE(bench.Run(Operation::kClear).error == "");

    SECTION("what was set is got, what was not is absent") {
        bench.Set("a", "1");
        REQUIRE(bench.Get("a") == "1");
        REQUIRE(bench.Has("a"));
        REQUIRE(bench.Get("b") == "none");
        REQUIRE_FALSE(bench.Has("b"));
        bench.Set("a", "2");
        REQUIRE(bench.Get("a") == "2");
    }
    SECTION("values are any bytes, and may be empty or large") {
        std::string bytes;
        for (int i = 0; i < 256; ++i) {
            bytes += static_cast<char>(i);
        }
        bench.Set("bytes", bytes + "\r\nEND\r\n");
        REQUIRE(bench.Get("bytes") == bytes + "\r\nEND\r\n");
        bench.Set("empty", "");
        REQUIRE(bench.Get("empty") == "");
        REQUIRE(bench.Has("empty"));
        const std::string large(900'000, 'x');
        bench.Set("large", large);
        REQUIRE(bench.Get("large") == large);
    }
    SECTION("several items in one call") {
        std::vector<std::string> keys;
        std::vector<Item> items;
        for (int i = 0; i < 200; ++i) {
            keys.push_back("key" + std::to_string(i));
        }
        for (const std::string& key : keys) {
            items.push_back({key, key});
        }
        REQUIRE(bench.Run(Operation::kSet, items).error == "");
        items.push_back({.key = "not there"});
        std::rotate(items.begin(), items.end() - 1, items.end());
        if (promises.fine_times) {  // memcached has no blanks in keys
            REQUIRE(bench.Run(Operation::kMGet, items).values.size() == 200);
        }
        items.erase(items.begin());
        auto found = bench.Run(Operation::kMGet, items);
        REQUIRE(found.values.size() == 200);
        REQUIRE(found.values["key7"] == "key7");
        REQUIRE(bench.Run(Operation::kHas, items).values.size() == 200);
        items.resize(100);
        REQUIRE(bench.Run(Operation::kDelete, items).error == "");
        REQUIRE_FALSE(bench.Has("key99"));
        REQUIRE(bench.Has("key100"));
    }
    SECTION("of a key that stands twice the last one holds") {
        REQUIRE(bench.Run(Operation::kSet, {{"a", "1"}, {"b", "2"}, {"a", "3"}}).error == "");
        REQUIRE(bench.Get("a") == "3");
    }
    SECTION("a call without items gives nothing") {
        for (Operation operation : {Operation::kHas, Operation::kSet, Operation::kMGet,
                                    Operation::kMExpire, Operation::kDelete}) {
            auto answer = bench.Run(operation);
            REQUIRE(answer.error == "");
            REQUIRE(answer.values.empty());
        }
    }
    SECTION("what was deleted is gone, and deleting what is not there is fine") {
        bench.Set("a", "1");
        REQUIRE(bench.Run(Operation::kDelete, {{.key = "a"}, {.key = "b"}}).error == "");
        REQUIRE(bench.Get("a") == "none");
        REQUIRE(bench.Run(Operation::kDelete, {{.key = "a"}}).error == "");
    }
    SECTION("clear leaves nothing, and the store goes on") {
        bench.Set("a", "1");
        bench.Set("b", "2", later);
        REQUIRE(bench.Run(Operation::kClear).error == "");
        REQUIRE_FALSE(bench.Has("a"));
        REQUIRE_FALSE(bench.Has("b"));
        bench.Set("a", "3");
        REQUIRE(bench.Get("a") == "3");
    }
    SECTION("a key whose time has passed is not there") {
        bench.Set("past", "1");
        bench.Set("past", "2", past);
        REQUIRE(bench.Get("past") == "none");
        REQUIRE_FALSE(bench.Has("past"));
        bench.Set("soon", "1", FromNow(promises.fine_times ? 50ms : 1100ms));
        bench.WaitUntilGone("soon");
        bench.Set("later", "1", later);
        REQUIRE(bench.Get("later") == "1");
    }
    SECTION("a set without a time ends an earlier time") {
        bench.Set("a", "1", FromNow(promises.fine_times ? 60ms : 1500ms));
        bench.Set("a", "2");
        bench.Set("b", "1", FromNow(promises.fine_times ? 60ms : 1500ms));
        bench.WaitUntilGone("b");
        REQUIRE(bench.Get("a") == "2");
        if (promises.ends_are_told) {
            REQUIRE(bench.Timeout("a") == "");
        }
    }
    SECTION("a delete ends an earlier time") {
        bench.Set("a", "1", FromNow(promises.fine_times ? 60ms : 1500ms));
        REQUIRE(bench.Run(Operation::kDelete, {{.key = "a"}}).error == "");
        bench.Set("a", "2");
        bench.Set("b", "1", FromNow(promises.fine_times ? 60ms : 1500ms));
        bench.WaitUntilGone("b");
        REQUIRE(bench.Get("a") == "2");
    }
    SECTION("a new time keeps the value, and passes over what is not there") {
        bench.Set("a", "value");
        const std::string text = FormatTimeout(later);
        std::vector<Item> items = {{"a", "", text, later}};
        REQUIRE(bench.Run(Operation::kMExpire, items).error == "");
        REQUIRE(bench.Get("a") == "value");
        if (!promises.touch_misses_fail) {
            items[0].key = "b";
            REQUIRE(bench.Run(Operation::kMExpire, items).error == "");
            REQUIRE_FALSE(bench.Has("b"));
        }
        const int64_t soon = FromNow(promises.fine_times ? 50ms : 1100ms);
        const std::string soon_text = FormatTimeout(soon);
        REQUIRE(bench.Run(Operation::kMExpire, {{"a", "", soon_text, soon}}).error == "");
        bench.WaitUntilGone("a");
        bench.Set("c", "value", later);
        const std::string past_text = FormatTimeout(past);
        REQUIRE(bench.Run(Operation::kMExpire, {{"c", "", past_text, past}}).error == "");
        REQUIRE_FALSE(bench.Has("c"));
    }
    SECTION("a new time without key or time is refused, and nothing is changed") {
        bench.Set("a", "1");
        const std::string text = FormatTimeout(past);
        auto answer = bench.Run(Operation::kMExpire, {{"a", "", text, past}, {"a", "", "", 0}});
        REQUIRE(answer.error == promises.no_timeout);
        REQUIRE(bench.Get("a") == "1");
        REQUIRE(bench.Run(Operation::kMExpire, {{"", "", text, past}}).error ==
                promises.no_timeout);
    }
    SECTION("ends are told") {
        if (!promises.ends_are_told) {
            REQUIRE_FALSE(bench.Run(Operation::kTtl, {{.key = "a"}}).error.empty());
            return;
        }
        bench.Set("endless", "1");
        const std::string text =
            promises.text_is_kept ? "2099-01-02T03:04:05+02:00" : FormatTimeout(later);
        const int64_t at = *ParseTimeout(text);
        REQUIRE(bench.Run(Operation::kSet, {{"ends", "1", text, at}}).error == "");
        auto answer =
            bench.Run(Operation::kTtl, {{.key = "ends"}, {.key = "endless"}, {.key = "none"}});
        REQUIRE(answer.values.contains("endless") == promises.endless_in_ttl);
        REQUIRE_FALSE(answer.values.contains("none"));
        REQUIRE_FALSE(answer.timeouts.contains("endless"));
        if (promises.text_is_kept) {
            REQUIRE(answer.timeouts["ends"] == text);
        } else {
            REQUIRE(std::abs(*ParseTimeout(answer.timeouts["ends"]) - at) <= 2'000'000'000);
        }
    }
    SECTION("the empty key") {
        auto answer = bench.Run(Operation::kSet, {{"a", "1"}, {"", "2"}});
        REQUIRE(answer.error.empty() == promises.empty_key);
        REQUIRE(bench.Has("a") == promises.empty_key);
    }
    SECTION("many calls at once are all answered") {
        constexpr size_t kCalls = 3000;
        size_t answers = 0, errors = 0;
        std::vector<std::string> keys;
        for (size_t i = 0; i < kCalls; ++i) {
            keys.push_back("k" + std::to_string(i % 500));
            const Item item{keys.back(), keys.back()};
            bench.store->Run(i % 3 == 2 ? Operation::kMGet : Operation::kSet, {&item, 1},
                             [&](Result<Found> found) {
                                 ++answers;
                                 errors += found ? 0 : 1;
                             });
        }
        REQUIRE(bench.loop.RunUntil([&] { return answers == kCalls; }));
        REQUIRE(errors == 0);
        REQUIRE(bench.Get("k499") == "k499");
    }
}

}  // namespace rr::kv
