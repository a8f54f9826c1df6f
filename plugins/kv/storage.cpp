#include "plugins/kv/storage.hpp"

#include <utility>

namespace rr::kv {
namespace {

using Kind = MetricFamily::Kind;

class Families {
public:
    Families(const Storages& storages, std::vector<MetricFamily>& out)
        : storages_(storages), out_(out) {}

    // value: of one storage; nothing where it is not known.
    template <class Value>
    void Each(const char* name, const char* help, Kind kind, Value value) {
        MetricFamily& family = out_.emplace_back(MetricFamily{name, help, kind, {}});
        for (const auto& storage : storages_) {
            if (std::optional<uint64_t> number = value(*storage)) {
                family.samples.push_back({Labels(*storage), static_cast<double>(*number)});
            }
        }
    }

    // value: of one operation.
    template <class Value>
    void EachOperation(const char* name, const char* help, Value value) {
        MetricFamily& family = out_.emplace_back(MetricFamily{name, help, Kind::kCounter, {}});
        for (const auto& storage : storages_) {
            for (size_t i = 0; i < kOperations; ++i) {
                MetricSample sample{Labels(*storage), value(storage->operations[i])};
                sample.labels.emplace_back("operation", kOperationNames[i]);
                family.samples.push_back(std::move(sample));
            }
        }
    }

private:
    static std::vector<std::pair<std::string, std::string>> Labels(const Storage& storage) {
        return {{"storage", storage.name}, {"driver", storage.driver}};
    }

    const Storages& storages_;
    std::vector<MetricFamily>& out_;
};

}  // namespace

Instant Storage::Begin(Operation operation) const {
    const bool measured = !store->answers_at_once() ||
                          operations[static_cast<size_t>(operation)].calls % kMeasured == 0;
    return measured ? Clock::now() : Instant();
}

void Storage::End(Operation operation, Instant begun, bool good) {
    OperationStats& stats = operations[static_cast<size_t>(operation)];
    ++stats.calls;
    stats.errors += good ? 0 : 1;
    if (begun != Instant()) {
        stats.last = Clock::now() - begun;
    }
    stats.time += stats.last;
}

uint64_t Storage::calls() const {
    uint64_t sum = 0;
    for (const OperationStats& one : operations) {
        sum += one.calls;
    }
    return sum;
}

uint64_t Storage::errors() const {
    uint64_t sum = 0;
    for (const OperationStats& one : operations) {
        sum += one.errors;
    }
    return sum;
}

void CollectMetrics(const Storages& storages, std::vector<MetricFamily>& out) {
    Families families(storages, out);
    families.Each("rr_kv_keys", "Keys that a storage keeps", Kind::kGauge,
                  [](const Storage& s) { return s.store->stats().keys; });
    families.Each("rr_kv_bytes", "Bytes of memory or disk that a storage takes", Kind::kGauge,
                  [](const Storage& s) { return s.store->stats().bytes; });
    families.Each("rr_kv_hits_total", "Keys that were asked for and there", Kind::kCounter,
                  [](const Storage& s) { return std::optional(s.hits); });
    families.Each("rr_kv_misses_total", "Keys that were asked for and not there", Kind::kCounter,
                  [](const Storage& s) { return std::optional(s.misses); });
    families.Each("rr_kv_evictions_total", "Keys that were dropped for want of room",
                  Kind::kCounter,
                  [](const Storage& s) { return std::optional(s.store->stats().evictions); });
    families.Each("rr_kv_expired_total", "Keys that were removed because their time had passed",
                  Kind::kCounter,
                  [](const Storage& s) { return std::optional(s.store->stats().expired); });
    families.EachOperation(
        "rr_kv_calls_total", "Calls that a storage answered",
        [](const OperationStats& one) { return static_cast<double>(one.calls); });
    families.EachOperation(
        "rr_kv_errors_total", "Calls that a storage answered with an error",
        [](const OperationStats& one) { return static_cast<double>(one.errors); });
    families.EachOperation(
        "rr_kv_call_seconds_total", "Time that calls took, in seconds",
        [](const OperationStats& one) { return std::chrono::duration<double>(one.time).count(); });
}

}  // namespace rr::kv
