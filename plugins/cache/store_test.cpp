#include "plugins/cache/store.hpp"

#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"

namespace rr::cache {
namespace {

using namespace std::chrono_literals;

Instant At(int seconds) { return Instant(std::chrono::seconds(1000 + seconds)); }

std::shared_ptr<Entry> Page(std::string target, std::string body = "x", Pairs vary = {}) {
    auto entry = std::make_shared<Entry>();
    entry->host = "host";
    entry->target = std::move(target);
    entry->body = std::move(body);
    entry->vary = std::move(vary);
    entry->made = At(0);
    entry->expires = At(10);
    return entry;
}

RequestForTest Get(std::string target, FieldsForTest::Pairs headers = {}) {
    RequestForTest request(std::move(headers));
    request.target_text = std::move(target);
    return request;
}

}  // namespace

TEST_CASE("cache store: an entry is found by scheme, host, path and query") {
    Store store(1 << 20);
    store.Insert(Page("/a?x=1"), 1);
    REQUIRE(store.Find(Get("/a?x=1"), At(0)) != nullptr);
    REQUIRE(store.Find(Get("/a?x=2"), At(0)) == nullptr);
    REQUIRE(store.Find(Get("/A?x=1"), At(0)) == nullptr);
    RequestForTest other = Get("/a?x=1");
    other.host_text = "HOST";
    REQUIRE(store.Find(other, At(0)) != nullptr);
    other.over_tls = true;
    REQUIRE(store.Find(other, At(0)) == nullptr);
    other.over_tls = false;
    other.host_text = "host2";
    REQUIRE(store.Find(other, At(0)) == nullptr);
}

TEST_CASE("cache store: what is stale is never found, and gone") {
    Store store(1 << 20);
    store.Insert(Page("/a"), 1);
    REQUIRE(store.Find(Get("/a"), At(10) - 1ns) != nullptr);
    REQUIRE(store.Find(Get("/a"), At(10)) == nullptr);
    REQUIRE(store.empty());
    REQUIRE(store.bytes() == 0);
}

TEST_CASE("cache store: a newer answer takes the place of the older one") {
    Store store(1 << 20);
    store.Insert(Page("/a", "old"), 1);
    auto held = store.Find(Get("/a"), At(0));
    store.Insert(Page("/a", "new"), 1);
    REQUIRE(store.entries() == 1);
    REQUIRE(store.Find(Get("/a"), At(0))->body == "new");
    REQUIRE(held->body == "old");  // who has it may go on
}

TEST_CASE("cache store: variants by Vary live side by side, so many at most") {
    Store store(1 << 20);
    for (size_t i = 0; i < Store::kMostVariants + 5; ++i) {
        auto entry = Page("/a", std::to_string(i), {{"x-v", std::to_string(i)}});
        entry->made = At(0) + std::chrono::milliseconds(i);
        store.Insert(std::move(entry), 1);
    }
    REQUIRE(store.entries() == Store::kMostVariants);
    REQUIRE(store.evicted() == 5);
    REQUIRE(store.Find(Get("/a", {{"X-V", "4"}}), At(0)) == nullptr);
    REQUIRE(store.Find(Get("/a", {{"X-V", "5"}}), At(0))->body == "5");
    REQUIRE(store.Find(Get("/a"), At(0)) == nullptr);
}

TEST_CASE("cache store: spaces and case of Accept-Encoding make no variant") {
    Store store(1 << 20);
    store.Insert(Page("/a", "x", {{"accept-encoding", "gzip,br"}}), 1);
    REQUIRE(store.Find(Get("/a", {{"Accept-Encoding", " GZIP,  br"}}), At(0)) != nullptr);
    REQUIRE(store.Find(Get("/a", {{"accept-encoding", "gzip"}, {"Accept-Encoding", "br"}}),
                       At(0)) != nullptr);
    REQUIRE(store.Find(Get("/a", {{"Accept-Encoding", "gzip"}}), At(0)) == nullptr);
}

TEST_CASE("cache store: beyond max_memory the one that was asked for longest ago goes") {
    const int64_t one = Page("/0", std::string(1000, 'x'))->Size();
    Store store(3 * one);
    for (int i = 0; i < 3; ++i) {
        store.Insert(Page("/" + std::to_string(i), std::string(1000, 'x')), 1);
    }
    REQUIRE(store.Find(Get("/0"), At(0)) != nullptr);
    store.Insert(Page("/3", std::string(1000, 'x')), 1);
    REQUIRE(store.Find(Get("/1"), At(0)) == nullptr);
    REQUIRE(store.Find(Get("/0"), At(0)) != nullptr);
    REQUIRE(store.bytes() == 3 * one);
    REQUIRE(store.evicted() == 1);
    store.Insert(Page("/big", std::string(10000, 'x')), 1);  // larger than all
    REQUIRE(store.Find(Get("/big"), At(0)) == nullptr);
    REQUIRE(store.entries() == 3);
}

TEST_CASE("cache store: Clear drops by prefix, and answers to requests from before stay out") {
    Store store(1 << 20);
    store.Insert(Page("/news/1"), 100);
    store.Insert(Page("/news/2"), 100);
    store.Insert(Page("/shop"), 100);
    REQUIRE(store.Clear("/news", 200) == 2);
    REQUIRE(store.entries() == 1);
    store.Insert(Page("/news/1"), 200);
    REQUIRE(store.entries() == 1);
    store.Insert(Page("/news/1"), 201);
    REQUIRE(store.entries() == 2);
    REQUIRE(store.Clear("", 300) == 2);
    REQUIRE(store.empty());
    REQUIRE(store.bytes() == 0);
}

TEST_CASE("cache store: Clear finds what was asked for by an absolute target") {
    Store store(1 << 20);
    store.Insert(Page("http://host/news/1"), 100);
    store.Insert(Page("HTTPS://host:81/news?x"), 100);
    store.Insert(Page("http://host"), 100);
    store.Insert(Page("http://host?/news"), 100);
    store.Insert(Page("/shop?to=http://host/news"), 100);
    REQUIRE(store.Clear("http", 200) == 0);
    REQUIRE(store.Clear("/news", 200) == 2);
    REQUIRE(store.Clear("/shop", 200) == 1);
    REQUIRE(store.Clear("/", 200) == 2);
}

TEST_CASE(
    "cache store: Drop takes one resource in all its variants, and what of it is on its way") {
    Store store(1 << 20);
    store.Insert(Page("/a", "x", {{"x-v", "1"}}), 100);
    store.Insert(Page("/a", "x", {{"x-v", "2"}}), 100);
    store.Insert(Page("/a?x"), 100);
    store.Drop({false, "HOST", "/a"}, 200);
    REQUIRE(store.entries() == 1);
    REQUIRE(store.Find(Get("/a?x"), At(0)) != nullptr);
    store.Insert(Page("/a"), 200);
    REQUIRE(store.Find(Get("/a"), At(0)) == nullptr);
    store.Insert(Page("/a"), 201);
    REQUIRE(store.Find(Get("/a"), At(0)) != nullptr);
    store.Drop({true, "host", "/a"}, 300);
    store.Drop({false, "host2", "/a"}, 300);
    REQUIRE(store.entries() == 2);
}

TEST_CASE("cache store: threads find, insert and clear at the same time") {
    const int64_t one = Page("/00", std::string(1000, 'x'))->Size();
    Store store(8 * one);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const std::string target = "/" + std::to_string(10 + (i * 7 + t) % 20);
                store.Insert(Page(target, target), 1 << 20);
                auto found = store.Find(Get(target), At(0));
                wrong += found != nullptr && found->body != target ? 1 : 0;
                if (i % 50 == t) {
                    store.Clear("/1", 1);
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    REQUIRE(wrong == 0);
    REQUIRE(store.bytes() <= 8 * one);
    store.Clear("", 2);
    REQUIRE(store.bytes() == 0);
}

}  // namespace rr::cache
