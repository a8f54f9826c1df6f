#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"

namespace rr {
namespace {

Result<int> Half(int n) {
    if (n % 2 != 0) {
        return Fail(Errc::kInvalid, "odd");
    }
    return n / 2;
}

Result<int> Quarter(int n) {
    Result<int> half = Half(n);
    if (!half) {
        return Forward(half, "quarter");
    }
    return Half(*half);
}

}  // namespace

TEST_CASE("result: an error gains context on its way up") {
    REQUIRE(*Quarter(8) == 2);
    REQUIRE(Quarter(3).error().message == "quarter: odd");
    REQUIRE(Quarter(6).error().message == "odd");
}

TEST_CASE("buffer: what was appended comes out in order while the front is consumed") {
    Buffer b;
    std::string all;
    std::string out;
    for (int i = 0; i < 1000; ++i) {
        std::string piece = std::to_string(i) + ",";
        all += piece;
        b.Append(piece);
        size_t take = b.size() / 2;
        out.append(b.data(), take);
        b.Consume(take);
    }
    out.append(b.data(), b.size());
    REQUIRE(out == all);
}

TEST_CASE("callback: small captures live inside, large ones are boxed, both move") {
    char big[200] = "boxed";
    Callback<std::string()> small = [] { return std::string("small"); };
    Callback<std::string()> large = [big] { return std::string(big); };
    Callback<std::string()> moved = std::move(large);
    REQUIRE(small() == "small");
    REQUIRE(moved() == "boxed");
    REQUIRE_FALSE(static_cast<bool>(large));
    struct Large {
        char bytes[200];
    };
    REQUIRE_FALSE(Callback<void()>::kFits<Large>);
}

TEST_CASE("loop: posts from another thread run in order on the loop's thread") {
    Loop loop("test");
    std::vector<int> seen;
    std::thread producer([&loop, &seen] {
        for (int i = 0; i < 1000; ++i) {
            loop.Post([&loop, &seen, i] {
                if (loop.InLoop()) {
                    seen.push_back(i);
                }
            });
        }
    });
    REQUIRE(loop.RunUntil([&seen] { return seen.size() == 1000; }));
    producer.join();
    REQUIRE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("loop: a flushable is called once a turn, also from inside a flush") {
    struct Counter final : Flushable {
        explicit Counter(Loop& l) : loop(l) {}
        void OnTurnEnd() override {
            if (++calls == 1) {
                loop.AtTurnEnd(*this);
            }
        }
        Loop& loop;
        int calls = 0;
    };
    Loop loop("test");
    Counter counter(loop);
    loop.Post([&loop, &counter] {
        loop.AtTurnEnd(counter);
        loop.AtTurnEnd(counter);
    });
    REQUIRE(loop.RunUntil([&counter] { return counter.calls == 2; }));
}

TEST_CASE("loop: offloaded work comes back to the loop") {
    Loop loop("test");
    std::thread::id worker;
    bool done = false;
    loop.Offload([&worker] { worker = std::this_thread::get_id(); }, [&done] { done = true; });
    REQUIRE(loop.RunUntil([&done] { return done; }));
    REQUIRE(worker != std::this_thread::get_id());
}

}  // namespace rr
