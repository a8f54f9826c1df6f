#include "plugins/kv/memory/memory_table.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/heap_for_test.hpp"

using namespace rr;
using namespace rr::kv;

namespace {

std::string Value(MemoryTable& table, const std::string& key, int64_t now = 0) {
    auto found = table.Get(key, now);
    return found ? std::string(found->value) : "none";
}

}  // namespace

TEST_CASE("kv: the table ends keys in the order of their time, in steps") {
    MemoryTable table;
    for (int i = 0; i < 100; ++i) {
        const int64_t at = 1000 + (i * 37) % 100;
        table.Set("k" + std::to_string(at), "v", "t", at, 0);
    }
    REQUIRE(table.NextEnd() == 1000);
    REQUIRE_FALSE(table.Tidy(999, 10));
    REQUIRE(table.size() == 100);
    REQUIRE(table.Tidy(1049, 20));
    REQUIRE(table.NextEnd() == 1020);
    REQUIRE(Value(table, "k1030", 1030) == "none");  // not removed yet, and not there
    REQUIRE(Value(table, "k1031", 1030) == "v");
    REQUIRE(table.Tidy(1049, 20));
    REQUIRE_FALSE(table.Tidy(1049, 20));
    REQUIRE(table.size() == 50);
    REQUIRE(table.expired() == 50);
}

TEST_CASE("kv: the table drops what was not used for longest") {
    MemoryTable probe(1 << 30);
    probe.Set("a", "0123456789", "", 0, 0);
    const uint64_t one = probe.bytes();
    MemoryTable table(3 * one);
    for (const char* key : {"a", "b", "c"}) {
        table.Set(key, "0123456789", "", 0, 0);
    }
    REQUIRE(table.evictions() == 0);
    REQUIRE(Value(table, "a") != "none");
    table.Set("d", "0123456789", "", 0, 0);
    REQUIRE(Value(table, "b") == "none");
    REQUIRE(Value(table, "a") != "none");
    REQUIRE(Value(table, "c") != "none");
    REQUIRE(table.evictions() == 1);
    table.Set("e", std::string(2 * one, 'x'), "", 0, 0);
    REQUIRE(table.bytes() <= 3 * one);
    REQUIRE_FALSE(table.Fits("f", std::string(3 * one, 'x'), ""));
    REQUIRE(table.untidy());
    while (table.Tidy(0, 1)) {
    }
}

TEST_CASE("kv: the table sets aside what it held, and releases it in steps") {
    MemoryTable table;
    for (int i = 0; i < 10'000; ++i) {
        table.Set(std::to_string(i), "v", "", 0, 0);
    }
    table.Clear();
    REQUIRE(table.size() == 0);
    REQUIRE(table.bytes() == 0);
    table.Set("new", "v", "", 0, 0);
    int steps = 0;
    while (table.Tidy(0, 500)) {
        ++steps;
    }
    REQUIRE(steps >= 20);
    REQUIRE(Value(table, "new") == "v");
}

TEST_CASE("kv: what a clear released does not wait in the allocator for one long pause") {
    MemoryTable table;
    for (int i = 0; i < 100'000; ++i) {
        table.Set(std::to_string(i), "v", "", 0, 0);
    }
    table.Clear();
    const size_t before = UnjoinedBlocks();
    size_t most = 0;
    while (table.Tidy(0, 1000)) {
        most = std::max(most, UnjoinedBlocks());
    }
    REQUIRE(most <= before + 2000);
}

TEST_CASE("kv: the table does what a simple map does, whatever happens") {
    struct Simple {
        std::string value;
        std::string timeout;
        int64_t expires = 0;
    };
    std::mt19937 random(11);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    for (uint64_t most : {uint64_t{0}, uint64_t{1} << 30}) {
        MemoryTable table(most);
        std::map<std::string, Simple> simple;
        int64_t now = 1;
        for (int step = 0; step < 50'000; ++step) {
            now += pick(3);
            const std::string key = "k" + std::to_string(pick(300));
            const int64_t expires = pick(2) == 0 ? 0 : now + pick(200) - 20;
            const std::string text(expires == 0 ? 0 : static_cast<size_t>(1 + pick(3)), 't');
            auto there = simple.find(key);
            if (there != simple.end() && there->second.expires != 0 &&
                there->second.expires <= now) {
                simple.erase(there);
                there = simple.end();
            }
            switch (pick(7)) {
                case 0:
                case 1:
                    table.Set(key, std::to_string(step), text, expires, now);
                    simple.erase(key);
                    if (expires == 0 || expires > now) {
                        simple[key] = {std::to_string(step), text, expires};
                    }
                    break;
                case 2:
                    REQUIRE(table.SetEnd(key, text, expires, now) == (there != simple.end()));
                    if (there != simple.end()) {
                        there->second.timeout = text;
                        there->second.expires = expires;
                        if (expires != 0 && expires <= now) {
                            simple.erase(there);
                        }
                    }
                    break;
                case 3:
                    table.Delete(key);
                    simple.erase(key);
                    break;
                case 4: table.Tidy(now, static_cast<size_t>(pick(5))); break;
                case 5:
                    if (pick(500) == 0) {
                        table.Clear();
                        simple.clear();
                    }
                    break;
                default: break;
            }
            there = simple.find(key);
            const bool lives = there != simple.end() &&
                               (there->second.expires == 0 || there->second.expires > now);
            auto view = table.Get(key, now);
            REQUIRE(view.has_value() == lives);
            REQUIRE(table.Has(key, now) == lives);
            if (lives) {
                REQUIRE(view->value == there->second.value);
                REQUIRE(view->timeout == there->second.timeout);
                REQUIRE(view->expires == there->second.expires);
            }
        }
        while (table.Tidy(now, 100)) {
        }
        std::erase_if(simple, [now](const auto& one) {
            return one.second.expires != 0 && one.second.expires <= now;
        });
        REQUIRE(table.size() == simple.size());
    }
}
