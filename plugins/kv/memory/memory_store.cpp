#include "plugins/kv/memory/memory_store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/time.hpp"
#include "core/config/section.hpp"
#include "core/net/timer.hpp"
#include "plugins/kv/memory/memory_table.hpp"

namespace rr::kv {
namespace {

// Keys that one turn of the loop releases: a fraction of a millisecond.
constexpr size_t kStep = 1000;
constexpr Duration kBetweenSteps = std::chrono::milliseconds(1);
// Keys that ran out are not there for anybody; their memory may wait for so long.
constexpr Duration kSoonest = std::chrono::milliseconds(20);
// The system's clock may be set: look again after so long at the latest.
constexpr Duration kLatest = std::chrono::seconds(10);

class MemoryStore final : public Store, private LoopBound {
public:
    MemoryStore(uint64_t max_memory, Loop& loop)
        : LoopBound(loop), table_(max_memory), timer_(loop, [this] { OnTimer(); }) {}

    std::string_view operations() const override { return "in_memory_plugin"; }
    bool answers_at_once() const override { return true; }
    void Open(Callback<void(Result<void>)> opened) override { opened({}); }
    void Close(Callback<void()> closed) override { closed(); }

    void Run(Operation operation, std::span<const Item> items, Done done) override {
        AssertInLoop();
        const int64_t now = Now();
        Result<Found> answer(std::move(spare_));
        Found& found = *answer;
        switch (operation) {
            case Operation::kHas: Has(items, now, found); break;
            case Operation::kMGet: MGet(items, now, found); break;
            case Operation::kTtl: Ttl(items, now, found); break;
            case Operation::kSet:
                if (auto problem = CheckSet(items); !problem.empty()) {
                    done(Fail(Errc::kInvalid, std::string(problem)));
                    return;
                }
                for (const Item& item : items) {
                    table_.Set(item.key, item.value, item.timeout, item.expires, now);
                }
                break;
            case Operation::kMExpire:
                if (auto problem = CheckExpire(items); !problem.empty()) {
                    done(Fail(Errc::kInvalid, std::string(problem)));
                    return;
                }
                for (const Item& item : items) {
                    table_.SetEnd(item.key, item.timeout, item.expires, now);
                }
                break;
            case Operation::kDelete:
                for (const Item& item : items) {
                    table_.Delete(item.key);
                }
                break;
            case Operation::kClear: table_.Clear(); break;
        }
        Settle(now);
        done(std::move(answer));
        // Most only look at it: the next call has its memory then.
        spare_ = std::move(found);
        spare_.Clear();
    }

    StoreStats stats() const override {
        return {table_.size(), table_.bytes(), table_.evictions(), table_.expired()};
    }

private:
    // Of this turn of the loop: a clock for each call would be a tenth of its time.
    int64_t Now() {
        if (const Instant turn = loop_.Now(); turn != turn_) {
            turn_ = turn;
            now_ = UnixNanoseconds();
        }
        return now_;
    }

    void Has(std::span<const Item> items, int64_t now, Found& found) {
        for (const Item& item : items) {
            if (table_.Has(item.key, now)) {
                found.Add(item.key);
            }
        }
    }

    void MGet(std::span<const Item> items, int64_t now, Found& found) {
        for (const Item& item : items) {
            if (auto view = table_.Get(item.key, now)) {
                found.AddValue(item.key, view->value);
            }
        }
    }

    void Ttl(std::span<const Item> items, int64_t now, Found& found) {
        for (const Item& item : items) {
            if (auto view = table_.Get(item.key, now)) {
                found.AddTimeout(item.key, view->timeout);
            }
        }
    }

    std::string_view CheckSet(std::span<const Item> items) const {
        for (const Item& item : items) {
            if (item.timeout.size() > UINT8_MAX) {
                return "the timeout is too long";
            }
            if (!table_.Fits(item.key, item.value, item.timeout)) {
                return "the value is larger than max_memory";
            }
        }
        return {};
    }

    static std::string_view CheckExpire(std::span<const Item> items) {
        for (const Item& item : items) {
            if (item.key.empty() || item.timeout.empty()) {
                return "timeout for MExpire is empty or key is empty";
            }
            if (item.timeout.size() > UINT8_MAX) {
                return "the timeout is too long";
            }
        }
        return {};
    }

    void OnTimer() {
        armed_ = INT64_MAX;
        const int64_t now = UnixNanoseconds();
        Settle(now, table_.Tidy(now, kStep));
    }

    // One timer for all: armed for what comes first. behind: a full step was not enough.
    void Settle(int64_t now, bool behind = false) {
        int64_t wanted = INT64_MAX;
        if (behind || table_.untidy()) {
            // Not zero: libuv would call again and again within one turn of the loop.
            wanted = now + kBetweenSteps.count();
        } else if (const auto end = table_.NextEnd()) {
            wanted = std::clamp(*end, now + kSoonest.count(), now + kLatest.count());
        }
        if (wanted < armed_) {
            armed_ = wanted;
            timer_.Arm(Duration(wanted - now));
        }
    }

    MemoryTable table_;
    Instant turn_{};  // in which now_ was read
    int64_t now_ = 0;
    Found spare_;  // empty; its memory serves call after call
    net::Timer timer_;
    int64_t armed_ = INT64_MAX;  // when it fires
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore(const config::Section& section,
                                       const StoreContext& context) {
    const int64_t max_memory = section.Size("max_memory", 0);
    section.Ignored("interval", "");  // of older versions of RoadRunner
    return MakeMemoryStore(static_cast<uint64_t>(max_memory), context.loop);
}

std::unique_ptr<Store> MakeMemoryStore(uint64_t max_memory, Loop& loop) {
    return std::make_unique<MemoryStore>(max_memory, loop);
}

}  // namespace rr::kv
