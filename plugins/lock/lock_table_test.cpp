#include "plugins/lock/lock_table.hpp"

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::lock;
using namespace std::chrono_literals;

namespace {

constexpr int64_t kUnknown = -1;

Instant At(Duration since_start) { return Instant(10h) + since_start; }

// A table, and what it answered: an attempt is known by its number.
class Desk {
public:
    size_t Ask(Mode mode, std::string_view id, Duration ttl, Duration wait, Duration at,
               std::string_view resource = "r") {
        const size_t number = answers.size();
        answers.push_back(kUnknown);
        const std::string name(id);
        table.Acquire({.resource = resource, .id = id, .mode = mode, .ttl = ttl, .wait = wait},
                      At(at), [this, number, name, mode](bool ok) {
                          REQUIRE(answers[number] == kUnknown);
                          answers[number] = ok ? 1 : 0;
                          if (ok) {
                              granted.push_back(number);
                              last_mode[name] = mode;
                          }
                      });
        table.Deliver();
        return number;
    }
    size_t Lock(std::string_view id, Duration at, Duration ttl = 0s, Duration wait = 0s) {
        return Ask(Mode::kExclusive, id, ttl, wait, at);
    }
    size_t Read(std::string_view id, Duration at, Duration ttl = 0s, Duration wait = 0s) {
        return Ask(Mode::kShared, id, ttl, wait, at);
    }
    bool Release(std::string_view id, Duration at) {
        const bool ok = table.Release("r", id, At(at));
        table.Deliver();
        return ok;
    }
    void Advance(Duration at) {
        table.Advance(At(at));
        table.Deliver();
    }
    bool WritersAreAlone(Duration at) {
        Advance(at);
        for (const auto& [id, mode] : last_mode) {
            if (mode == Mode::kExclusive && table.Exists("r", id, At(at)) && table.held() != 1) {
                return false;
            }
        }
        return true;
    }
    bool ok(size_t number) const { return answers[number] == 1; }
    bool refused(size_t number) const { return answers[number] == 0; }
    bool waits(size_t number) const { return answers[number] == kUnknown; }

    LockTable table;
    std::vector<int64_t> answers;
    std::vector<size_t> granted;            // in order
    std::map<std::string, Mode> last_mode;  // as which an id got it
};

}  // namespace

TEST_CASE("lock: a free resource is locked at once, a held one after a wait or not at all") {
    Desk desk;
    REQUIRE(desk.ok(desk.Lock("a", 0s)));
    const size_t b = desk.Lock("b", 1s);
    REQUIRE(desk.waits(b));
    desk.Advance(1s + 999us);
    REQUIRE(desk.waits(b));
    desk.Advance(1s + 1ms);  // the shortest wait
    REQUIRE(desk.refused(b));
    const size_t c = desk.Lock("c", 2s, 0s, 5s);
    REQUIRE(desk.Release("a", 3s));
    REQUIRE(desk.ok(c));
    REQUIRE_FALSE(desk.Release("a", 3s));
}

TEST_CASE("lock: it is not re-entrant, not even for the same id") {
    Desk desk;
    desk.Lock("a", 0s);
    const size_t again = desk.Lock("a", 0s);
    const size_t reads = desk.Read("a", 0s);
    desk.Advance(1s);
    REQUIRE(desk.refused(again));
    REQUIRE(desk.refused(reads));
    REQUIRE(desk.Release("a", 1s));
    REQUIRE(desk.table.held() == 0);
}

TEST_CASE("lock: an expired shared holder no longer blocks an exclusive one") {
    Desk desk;
    REQUIRE(desk.ok(desk.Read("a", 0s, 50us)));
    REQUIRE(desk.ok(desk.Read("b", 0s, 70us)));
    const size_t c = desk.Lock("c", 10us);
    desk.Advance(50us);
    REQUIRE(desk.waits(c));
    desk.Advance(70us);
    REQUIRE(desk.ok(c));
}

TEST_CASE(
    "lock: a lock that ran out before the patience of a waiter is his, however late we look") {
    Desk desk;
    desk.Lock("a", 0s, 100us);
    const size_t in_time = desk.Lock("b", 0s, 100us, 1ms);
    const size_t late = desk.Lock("c", 0s, 0s, 1ms);
    desk.Advance(10s);
    REQUIRE(desk.ok(in_time));
    REQUIRE(desk.refused(late));  // b had it until then
    REQUIRE(desk.ok(desk.Lock("d", 11s)));
}

TEST_CASE("lock: readers share, and a waiting writer lets no later reader past") {
    Desk desk;
    REQUIRE(desk.ok(desk.Read("a", 0s)));
    REQUIRE(desk.ok(desk.Read("b", 0s)));
    const size_t writer = desk.Lock("w", 0s, 0s, 10s);
    const size_t reader = desk.Read("c", 0s, 0s, 10s);
    const size_t second = desk.Lock("x", 0s, 0s, 10s);
    const size_t later = desk.Read("d", 0s, 0s, 10s);
    REQUIRE(desk.waits(reader));
    desk.Release("a", 1s);
    desk.Release("b", 1s);
    REQUIRE(desk.ok(writer));
    REQUIRE(desk.waits(reader));
    desk.Release("w", 2s);
    REQUIRE(desk.ok(reader));
    REQUIRE(desk.waits(later));
    desk.Release("c", 3s);
    REQUIRE(desk.ok(second));
    desk.Release("x", 4s);
    REQUIRE(desk.ok(later));
}

TEST_CASE("lock: readers behind a writer who gives up are let in together") {
    Desk desk;
    desk.Read("a", 0s);
    const size_t writer = desk.Lock("w", 0s, 0s, 1s);
    const size_t b = desk.Read("b", 0s, 0s, 10s);
    const size_t c = desk.Read("c", 0s, 0s, 10s);
    desk.Advance(1s);
    REQUIRE(desk.refused(writer));
    REQUIRE(desk.ok(b));
    REQUIRE(desk.ok(c));
}

TEST_CASE("lock: attempts that fail leave no trace") {
    Desk desk;
    desk.Read("a", 0s);
    desk.Read("b", 0s);
    const size_t failed = desk.Lock("c", 0s, 0s, 1s);
    desk.Advance(2s);
    REQUIRE(desk.refused(failed));
    REQUIRE(desk.ok(desk.Read("d", 2s)));  // RoadRunner's resource would be dead by now
    REQUIRE(desk.Release("a", 2s));
    REQUIRE(desk.Release("b", 2s));
    REQUIRE(desk.Release("d", 2s));
    REQUIRE_FALSE(desk.Release("c", 2s));
    REQUIRE(desk.ok(desk.Lock("c", 3s)));
    REQUIRE(desk.table.waiting() == 0);
}

TEST_CASE("lock: the only reader becomes the writer, before everybody in line") {
    Desk desk;
    desk.Read("a", 0s, 1s);
    const size_t other = desk.Lock("b", 0s, 0s, 10s);
    REQUIRE(desk.ok(desk.Lock("a", 0s, 5s)));
    REQUIRE(desk.waits(desk.Read("c", 0s, 0s, 10s)));
    desk.Advance(2s);  // the ttl of the reader went with him
    REQUIRE(desk.waits(other));
    desk.Advance(5s);
    REQUIRE(desk.ok(other));
}

TEST_CASE("lock: of two readers the one who waits to write gets it when the other leaves") {
    Desk desk;
    desk.Read("a", 0s);
    desk.Read("b", 0s, 1s);
    const size_t stranger = desk.Lock("c", 0s, 0s, 10s);
    const size_t promoted = desk.Lock("a", 0s, 0s, 10s);
    REQUIRE(desk.waits(promoted));
    desk.Advance(1s);
    REQUIRE(desk.ok(promoted));
    REQUIRE(desk.waits(stranger));
    REQUIRE(desk.Release("a", 2s));
    REQUIRE(desk.ok(stranger));
}

TEST_CASE("lock: a reader may ask again, which never shortens his lock") {
    Desk desk;
    desk.Read("a", 0s, 10s);
    const size_t writer = desk.Lock("w", 0s, 0s, 60s);
    REQUIRE(desk.ok(desk.Read("a", 1s, 1s)));
    desk.Advance(5s);
    REQUIRE(desk.waits(writer));
    REQUIRE(desk.ok(desk.Read("a", 5s, 10s)));
    desk.Advance(11s);
    REQUIRE(desk.waits(writer));
    REQUIRE(desk.Release("a", 12s));
    REQUIRE(desk.ok(writer));
}

TEST_CASE("lock: force takes it from all, and serves who waits") {
    Desk desk;
    REQUIRE_FALSE(desk.table.ForceRelease("r", At(0s)));
    desk.Read("a", 0s);
    desk.Read("b", 0s);
    const size_t writer = desk.Lock("w", 0s, 0s, 10s);
    REQUIRE(desk.table.ForceRelease("r", At(1s)));
    desk.table.Deliver();
    REQUIRE(desk.ok(writer));
    REQUIRE_FALSE(desk.Release("a", 1s));
    REQUIRE(desk.Release("w", 1s));
    REQUIRE(desk.table.ForceRelease("r", At(2s)));  // free, but known
    REQUIRE_FALSE(desk.table.ForceRelease("s", At(2s)));
}

TEST_CASE("lock: exists knows an id, or anybody") {
    Desk desk;
    REQUIRE_FALSE(desk.table.Exists("r", "*", At(0s)));
    desk.Read("a", 0s, 1s);
    REQUIRE(desk.table.Exists("r", "a", At(0s)));
    REQUIRE(desk.table.Exists("r", "*", At(0s)));
    REQUIRE_FALSE(desk.table.Exists("r", "b", At(0s)));
    REQUIRE_FALSE(desk.table.Exists("r", "*", At(1s)));
}

TEST_CASE("lock: a new ttl counts from now, zero is a year") {
    Desk desk;
    desk.Lock("a", 0s, 1s);
    REQUIRE(desk.table.UpdateTtl("r", "a", 10s, At(500ms)));
    REQUIRE(desk.table.Exists("r", "a", At(10s)));
    REQUIRE(desk.table.UpdateTtl("r", "a", 0s, At(10s)));
    REQUIRE(desk.table.Exists("r", "a", At(10s + LockTable::kForever - 1us)));
    REQUIRE_FALSE(desk.table.Exists("r", "a", At(10s + LockTable::kForever)));
    REQUIRE_FALSE(desk.table.UpdateTtl("r", "a", 1s, At(10s + LockTable::kForever)));
    REQUIRE_FALSE(desk.table.UpdateTtl("other", "a", 1s, At(0s)));
}

TEST_CASE("lock: times without measure do not overflow") {
    Desk desk;
    desk.Lock("a", 0s, Duration::max());
    REQUIRE(desk.waits(desk.Lock("b", 0s, 0s, Duration::max())));
    desk.Advance(24h * 365 * 99);
    REQUIRE(desk.table.Exists("r", "a", At(24h * 365 * 99)));
}

TEST_CASE("lock: resources are independent, and free ones are not remembered without bound") {
    Desk desk;
    for (size_t i = 0; i < LockTable::kRemembered + 10; ++i) {
        const std::string name = "n" + std::to_string(i);
        REQUIRE(desk.ok(desk.Ask(Mode::kExclusive, "a", 0s, 0s, 0s, name)));
        REQUIRE(desk.table.Release(name, "a", At(0s)));
    }
    REQUIRE_FALSE(desk.table.ForceRelease("n9", At(0s)));
    REQUIRE(desk.table.ForceRelease("n10", At(0s)));
    const std::string monster(LockTable::kLongestRemembered + 1, 'x');
    REQUIRE(desk.ok(desk.Ask(Mode::kExclusive, "a", 0s, 0s, 0s, monster)));
    REQUIRE(desk.table.Release(monster, "a", At(0s)));
    REQUIRE_FALSE(desk.table.ForceRelease(monster, At(0s)));
}

TEST_CASE("lock: at the end everybody in line is refused, and who holds goes on holding") {
    Desk desk;
    desk.Lock("a", 0s);
    const size_t b = desk.Lock("b", 0s, 0s, 10s);
    const size_t c = desk.Read("c", 0s, 0s, 10s);
    desk.table.StopWaiting();
    desk.table.Deliver();
    REQUIRE(desk.refused(b));
    REQUIRE(desk.refused(c));
    REQUIRE(desk.refused(desk.Lock("d", 0s, 0s, 10s)));
    REQUIRE(desk.table.Exists("r", "a", At(1s)));
    REQUIRE(desk.Release("a", 1s));
    REQUIRE(desk.ok(desk.Lock("d", 1s)));
}

TEST_CASE("lock: a storm of 1,000 waiters is served in the order of its coming, each alone") {
    Desk desk;
    desk.Lock("first", 0s);
    std::vector<size_t> storm;
    for (int i = 0; i < 1000; ++i) {
        storm.push_back(desk.Lock("w" + std::to_string(i), 0s, 1s, 1h));
    }
    REQUIRE(desk.table.waiting() == 1000);
    desk.granted.clear();
    REQUIRE(desk.Release("first", 1s));
    Duration now = 1s;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(desk.granted.size() == static_cast<size_t>(i) + 1);
        REQUIRE(desk.table.held() == 1);
        if (i % 2 == 0) {
            REQUIRE(desk.Release("w" + std::to_string(i), now));
        } else {
            now += 1s;  // its ttl ends it
            desk.Advance(now);
        }
    }
    REQUIRE(desk.granted == storm);
    REQUIRE_FALSE(desk.table.NextDue());
}

TEST_CASE("lock: whatever happens, writers are alone and no answer comes twice or never") {
    std::mt19937 random(7);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    for (int round = 0; round < 50; ++round) {
        Desk desk;
        Duration now{};
        for (int step = 0; step < 300; ++step) {
            now += std::chrono::microseconds(pick(400));
            const std::string id(1, static_cast<char>('a' + pick(6)));
            const auto ttl = std::chrono::microseconds(1 + pick(3000));
            const auto wait = std::chrono::microseconds(pick(3000));
            switch (pick(6)) {
                case 0: desk.Lock(id, now, ttl, wait); break;
                case 1:
                case 2: desk.Read(id, now, ttl, wait); break;
                case 3: desk.Release(id, now); break;
                case 4: desk.table.UpdateTtl("r", id, ttl, At(now)); break;
                default: desk.Advance(now); break;
            }
            REQUIRE(desk.WritersAreAlone(now));
        }
        desk.Advance(now + 10s);  // serves the last ones, who hold it for a while
        desk.Advance(now + 20s);
        REQUIRE(desk.table.waiting() == 0);
        REQUIRE(desk.table.held() == 0);
        REQUIRE_FALSE(desk.table.NextDue());
        for (int64_t answer : desk.answers) {
            REQUIRE(answer != kUnknown);
        }
    }
}
