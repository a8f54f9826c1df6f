#include "plugins/otel/exporter.hpp"

#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "plugins/otel/recording_for_test.hpp"

namespace rr::otel {
namespace {

using namespace std::chrono_literals;
using Kind = Delivery::Kind;

// Answers as it was told; taken, once nothing is left of that.
class Scripted final : public Sink {
public:
    explicit Scripted(std::vector<Kind> kinds) : kinds_(std::move(kinds)) {}

    Delivery Deliver(const Batch& batch, Deadline, const std::atomic<bool>& stop) override {
        while (holds && !stop) {
            std::this_thread::yield();
        }
        Delivery delivery;
        const size_t call = calls++;
        delivery.kind = call < kinds_.size() ? kinds_[call] : Kind::kTaken;
        delivery.reason = "scripted";
        if (delivery.kind == Kind::kTaken) {
            spans += batch.spans;
        }
        return delivery;
    }

    std::atomic<bool> holds{false};
    std::atomic<size_t> calls{0};
    std::atomic<size_t> spans{0};

private:
    const std::vector<Kind> kinds_;
};

class Records final : public log::Channel {
public:
    Records() { SetLevel(log::Level::kInfo); }
    void Write(log::Level, std::string_view message, const log::Field*, size_t) override {
        lines.emplace_back(message);
    }
    std::vector<std::string> lines;
};

struct Bench {
    explicit Bench(std::vector<Kind> kinds, Exporter::Pace pace = {1ms, 2ms, 1min})
        : sink(std::make_shared<Scripted>(std::move(kinds))) {
        exporter.emplace(
            loop, log::Logger(&records), sink, budget, [this](Batch) { ++used; }, pace);
    }
    void Add(size_t batches = 1) {
        for (size_t i = 0; i < batches; ++i) {
            REQUIRE(budget.Take(2));
            exporter->Add(BatchForTest());
        }
    }
    void WaitUsed(size_t batches) {
        REQUIRE(loop.RunUntil([&] { return used == batches; }));
    }
    void Flush(Duration limit) {
        bool done = false;
        exporter->Flush(Clock::now() + limit, [&done] { done = true; });
        REQUIRE_FALSE(done);
        REQUIRE(loop.RunUntil([&done] { return done; }));
    }

    Loop loop{"test"};
    Records records;
    Budget budget{100};
    std::shared_ptr<Scripted> sink;
    std::optional<Exporter> exporter;
    size_t used = 0;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("exporter: batches go out one after the other and are given back") {
    Bench bench({});
    bench.Add(3);
    REQUIRE(bench.budget.waiting() == 6);
    bench.WaitUsed(3);
    REQUIRE(bench.sink->spans == 6);
    REQUIRE(bench.budget.waiting() == 0);
    REQUIRE(bench.budget.exported() == 6);
    REQUIRE(bench.records.lines.empty());
}

TEST_CASE("exporter: an outage is said once, and so is its end; nothing is lost") {
    Bench bench({Kind::kLater, Kind::kLater, Kind::kLater});
    bench.Add(2);
    bench.WaitUsed(2);
    REQUIRE(bench.sink->calls == 5);
    REQUIRE(bench.budget.exported() == 4);
    REQUIRE(bench.budget.dropped() == 0);
    REQUIRE(bench.records.lines == Lines{"spans are not exported", "spans are exported again"});
}

TEST_CASE("exporter: what is refused is not sent again") {
    Bench bench({Kind::kRefused, Kind::kRefused});
    bench.Add(3);
    bench.WaitUsed(3);
    REQUIRE(bench.sink->calls == 3);
    REQUIRE(bench.budget.dropped() == 4);
    REQUIRE(bench.budget.exported() == 2);
    REQUIRE(bench.budget.waiting() == 0);
    REQUIRE(bench.records.lines == Lines{"spans are not exported", "spans are exported again"});
}

TEST_CASE("exporter: patience with one batch ends") {
    Bench bench({Kind::kLater, Kind::kLater}, {1ms, 2ms, 0ms});
    bench.Add(2);
    bench.WaitUsed(2);
    REQUIRE(bench.budget.dropped() == 4);
    REQUIRE(bench.records.lines == Lines{"spans are not exported"});
}

TEST_CASE("exporter: a flush delivers what waits") {
    Bench bench({});
    bench.Add(5);
    bench.Flush(30s);
    REQUIRE(bench.sink->spans == 10);
    REQUIRE(bench.records.lines.empty());
}

TEST_CASE("exporter: a flush does not wait for a pause, nor for a collector that is away") {
    Bench bench({Kind::kLater, Kind::kLater}, {1h, 1h, 1h});
    bench.Add(3);
    REQUIRE(bench.loop.RunUntil([&] { return bench.records.lines.size() == 1; }));
    bench.Flush(1h);
    REQUIRE(bench.sink->calls == 2);
    REQUIRE(bench.budget.dropped() == 6);
    REQUIRE(bench.budget.waiting() == 0);
    REQUIRE(bench.records.lines == Lines{"spans are not exported", "spans were lost"});
}

TEST_CASE("exporter: a flush ends at its deadline, and the delivery is told to") {
    Bench bench({});
    bench.sink->holds = true;
    bench.Add(2);
    bench.Flush(1ms);
    REQUIRE(bench.budget.dropped() == 4);
    REQUIRE(bench.budget.waiting() == 0);
    bench.exporter.reset();
    REQUIRE(bench.loop.RunUntil([&] { return bench.sink->calls == 1; }));
}

TEST_CASE("exporter: an empty flush ends") {
    Bench bench({});
    bench.Flush(1h);
    REQUIRE(bench.sink->calls == 0);
}

TEST_CASE("exporter: what the queue has no place for is said, now and then") {
    Bench bench({});
    REQUIRE(bench.budget.Take(98));
    bench.Add();
    REQUIRE_FALSE(bench.budget.Take(2));
    bench.WaitUsed(1);
    bench.Add();
    bench.WaitUsed(2);
    REQUIRE(bench.records.lines == Lines{"spans were dropped: too many were waiting"});
    bench.budget.Drop(1);
    bench.Add();
    bench.WaitUsed(3);
    REQUIRE(bench.records.lines.size() == 1);
}

}  // namespace rr::otel
