#include "plugins/kv/lmdb/lmdb_store.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/child_for_test.hpp"
#include "core/log/test_folder.hpp"
#include "plugins/kv/conformance_for_test.hpp"
#include "plugins/kv/lmdb/lmdb_file.hpp"
#include "plugins/kv/lmdb/record.hpp"

using namespace rr;
using namespace rr::kv;
using namespace std::chrono_literals;

namespace {

class Place {
public:
    std::unique_ptr<Store> Make() {
        return MakeLmdbStore(config, {loop, log::Logger(), "test", ""});
    }
    std::string file() const { return folder / "rr.db"; }

    log::TestFolder folder;
    Loop loop{"main"};
    LmdbConfig config{.file = file()};
};

uint64_t Shown(const Bench& bench) {
    const StoreStats stats = bench.store->stats();
    return *stats.keys + stats.expired;
}

// Sets key0, key1 and so on, which end soon, but not before the file has them.
void SetEnding(Bench& bench, size_t count) {
    const uint64_t before = Shown(bench);
    std::vector<std::string> keys;
    for (size_t i = 0; i < count; ++i) {
        keys.push_back("key" + std::to_string(i));
    }
    for (auto time = 50ms; Shown(bench) < before + count; time *= 2) {
        REQUIRE(time < 60s);
        const int64_t soon = FromNow(time);
        const std::string text = FormatTimeout(soon);
        std::vector<Item> items;
        for (const std::string& key : keys) {
            items.push_back({key, "value", text, soon});
        }
        REQUIRE(bench.Run(Operation::kSet, items).error == "");
    }
}

std::string OpenError(Place& place) {
    auto store = place.Make();
    std::optional<Result<void>> opened;
    store->Open([&](Result<void> result) { opened = std::move(result); });
    REQUIRE(place.loop.RunUntil([&] { return opened.has_value(); }));
    bool closed = false;
    store->Close([&] { closed = true; });
    REQUIRE(place.loop.RunUntil([&] { return closed; }));
    return *opened ? "" : opened->error().message;
}

}  // namespace

TEST_CASE("kv: lmdb keeps the promises of a store") {
    Place place;
    Bench bench(place.loop, place.Make());
    Conform(bench, {});
}

TEST_CASE("kv: lmdb with a sync for each write keeps the promises of a store") {
    Place place;
    place.config.sync = LmdbConfig::Sync::kAlways;
    Bench bench(place.loop, place.Make());
    Conform(bench, {});
}

TEST_CASE("kv: what lmdb keeps is there after a restart, with its ends") {
    Place place;
    const std::string text = "2099-01-02T03:04:05+02:00";
    {
        Bench bench(place.loop, place.Make());
        bench.Set("a", "1");
        REQUIRE(bench.Run(Operation::kSet, {{"b", "2", text, *ParseTimeout(text)}}).error == "");
        bench.Set("soon", "3", FromNow(300ms));
    }
    Bench bench(place.loop, place.Make());
    REQUIRE(bench.Get("a") == "1");
    REQUIRE(bench.Get("b") == "2");
    REQUIRE(bench.Timeout("b") == text);
    REQUIRE(bench.Timeout("a") == "");
    bench.WaitUntilGone("soon");
}

TEST_CASE("kv: lmdb sweeps what ran out, and nothing else") {
    Place place;
    place.config.interval = 20ms;
    Bench bench(place.loop, place.Make());
    SetEnding(bench, 3500);
    bench.Set("stays", "1");
    bench.Set("later", "1", FromNow(24h));
    bench.Set("key0", "again", FromNow(24h));
    REQUIRE(place.loop.RunUntil([&] { return bench.store->stats().keys == 3u; }));
    // key0 may have run out, and been removed, before it was set again.
    REQUIRE(bench.store->stats().expired >= 3499);
    REQUIRE(bench.Get("key0") == "again");
    REQUIRE(bench.Get("stays") == "1");
}

TEST_CASE("kv: lmdb never shows a key as removed and not yet as expired") {
    // One turn of the loop starts a sweep; this looks until its helper thread must have removed some.
    Place place;
    place.config.interval = 10ms;
    Bench bench(place.loop, place.Make());
    SetEnding(bench, 2000);
    const auto shown = [&] { return Shown(bench); };
    const uint64_t all = shown();
    bool wrong = false;
    REQUIRE(place.loop.RunUntil([&] {
        for (const auto end = Clock::now() + 20ms; !wrong && Clock::now() < end;) {
            wrong = shown() != all;
        }
        return wrong || bench.store->stats().keys == 0u;
    }));
    REQUIRE_FALSE(wrong);
}

TEST_CASE("kv: the map of lmdb grows by itself") {
    Place place;
    Bench bench(place.loop, place.Make());
    const std::string value(1 << 20, 'v');
    size_t answers = 0;
    for (int i = 0; i < 60; ++i) {
        const std::string key = "k" + std::to_string(i);
        const Item item{key, value};
        bench.store->Run(Operation::kSet, {&item, 1}, [&](Result<Found> found) {
            INFO((found ? "" : found.error().message));
            REQUIRE(found.has_value());
            ++answers;
        });
    }
    REQUIRE(place.loop.RunUntil([&] { return answers == 60; }));
    REQUIRE(bench.store->stats().bytes > 60u << 20);
    for (int i = 0; i < 60; ++i) {
        REQUIRE(bench.Get("k" + std::to_string(i)) == value);
    }
}

TEST_CASE(
    "kv: a full lmdb says so, keeps what it acknowledged, and takes more once there is room") {
    Place place;
    place.config.max_size = 4 << 20;
    Bench bench(place.loop, place.Make());
    const std::string value(100'000, 'v');
    int kept = 0;
    std::string error;
    while (error.empty()) {
        const std::string key = "k" + std::to_string(kept);
        error = bench.Run(Operation::kSet, {{key, value}}).error;
        kept += error.empty() ? 1 : 0;
        REQUIRE(kept < 60);
    }
    REQUIRE(error == "the storage is full: max_size is reached");
    REQUIRE(kept > 20);
    // Of a batch what fits is kept.
    std::vector<std::string> results;
    for (const std::string& one : {std::string("small"), value + value}) {
        const Item item{one == "small" ? "small" : "large", one};
        bench.store->Run(Operation::kSet, {&item, 1}, [&](Result<Found> found) {
            results.push_back(found ? "ok" : found.error().message);
        });
    }
    REQUIRE(place.loop.RunUntil([&] { return results.size() == 2; }));
    REQUIRE(results == std::vector<std::string>{"ok", error});
    for (int i = 0; i < kept; ++i) {
        REQUIRE(bench.Get("k" + std::to_string(i)) == value);
    }
    REQUIRE(bench.Run(Operation::kClear).error == "");
    bench.Set("k", value);
    REQUIRE(bench.Get("k") == value);
}

TEST_CASE("kv: a disk that takes no more is an error of the call, and nothing is lost") {
    // Of this process: no file may become larger. The system says EFBIG instead of ENOSPC, to the
    // same write of the same page.
    Place place;
    Bench bench(place.loop, place.Make());
    bench.Set("before", "1");
    std::optional<FileSizeLimit> limit(std::filesystem::file_size(place.file()) + (256 << 10));
    const std::string value(100'000, 'v');
    int kept = 0;
    std::string error;
    while (error.empty() && kept < 100) {
        const std::string key = "k" + std::to_string(kept);
        error = bench.Run(Operation::kSet, {{key, value}}).error;
        kept += error.empty() ? 1 : 0;
    }
    limit.reset();
    REQUIRE(error != "");
    REQUIRE(kept > 0);
    REQUIRE(bench.Get("before") == "1");
    for (int i = 0; i < kept; ++i) {
        REQUIRE(bench.Get("k" + std::to_string(i)) == value);
    }
    bench.Set("after", value);
    bench.Close();
    Bench again(place.loop, place.Make());
    REQUIRE(again.Get("before") == "1");
    REQUIRE(again.Get("after") == value);
    REQUIRE(again.Get("k0") == value);
}

TEST_CASE("kv: a second user of an lmdb file is told so, a file of something else too") {
    Place place;
    {
        Bench bench(place.loop, place.Make());
        REQUIRE(OpenError(place) == place.file() + " is in use by another process");
        bench.Set("a", "1");
    }
    std::filesystem::remove(place.file());
    std::ofstream(place.file()) << std::string(16384, 'b');
    REQUIRE(OpenError(place).starts_with(place.file() + " is no file of this driver"));
    place.config.file = place.folder / "missing/rr.db";
    REQUIRE(OpenError(place) == "open " + place.config.file + ": No such file or directory");
}

TEST_CASE("kv: what lmdb cannot keep is refused before anything is changed") {
    Place place;
    Bench bench(place.loop, place.Make());
    const std::string longest(LmdbFile::kLongestKey, 'k');
    bench.Set(longest, "1", FromNow(24h));
    REQUIRE(bench.Get(longest) == "1");
    const std::string longer = longest + "k";
    REQUIRE(bench.Run(Operation::kSet, {{"a", "1"}, {longer, "2"}}).error == "key too large");
    REQUIRE(bench.Run(Operation::kSet, {{"a", "1"}, {"", "2"}}).error == "key required");
    REQUIRE_FALSE(bench.Has("a"));
}

TEST_CASE("kv: whatever lmdb acknowledged survives a kill at any moment") {
    Place place;
    for (int round = 0; round < 8; ++round) {
        const auto last = KillAfter(50 + static_cast<uint32_t>(round) * 37, [&](auto say) {
            auto file = LmdbFile::Open({.path = place.file()});
            for (uint32_t i = 0; file; ++i) {
                auto call = std::make_unique<LmdbFile::Call>();
                call->operation = Operation::kSet;
                const std::string key = std::to_string(round) + ":" + std::to_string(i);
                const std::string value = key + std::string(i % 5000, 'v');
                call->items.push_back({key, value, "t", FromNow(24h)});
                LmdbFile::Calls calls;
                calls.push_back(std::move(call));
                (*file)->Write(calls, UnixNanoseconds());
                if (!calls[0]->result) {
                    break;
                }
                say(i);
            }
        });
        REQUIRE(last);
        Bench bench(place.loop, place.Make());
        for (uint32_t i = 0; i <= *last; ++i) {
            const std::string key = std::to_string(round) + ":" + std::to_string(i);
            REQUIRE(bench.Get(key) == key + std::string(i % 5000, 'v'));
        }
    }
}

TEST_CASE("kv: a record is read as it was written, and a damaged one is none") {
    const Record record{-5, "text", "value"};
    std::string bytes(RecordSize(record), '\0');
    WriteRecord(record, bytes.data());
    Record read;
    REQUIRE(ReadRecord(bytes, read));
    REQUIRE(read.expires == -5);
    REQUIRE(read.timeout == "text");
    REQUIRE(read.value == "value");
    for (size_t size = 0; size < 14; ++size) {
        REQUIRE_FALSE(ReadRecord(Bytes(bytes).substr(0, size), read));
    }
    bytes[0] = 2;
    REQUIRE_FALSE(ReadRecord(bytes, read));
    const auto text = [](int64_t at) {
        const EndKey key = ToEndKey(at);
        return std::string(key.data(), key.size());
    };
    REQUIRE(text(-1) < text(1));
    REQUIRE(text(255) < text(256));
    for (int64_t at : {INT64_MIN, int64_t{-7}, int64_t{0}, INT64_MAX}) {
        const EndKey key = ToEndKey(at);
        REQUIRE(FromEndKey({key.data(), key.size()}) == at);
    }
}
