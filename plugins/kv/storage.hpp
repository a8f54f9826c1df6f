// Storage: one entry of the section `kv`: a name, its store, and what is counted about it.
//
// Thread: main.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/api/metric_source.hpp"
#include "core/base/time.hpp"
#include "plugins/kv/store.hpp"

namespace rr::kv {

// Counters of one operation.
struct OperationStats {
    uint64_t calls = 0;   // that were answered by the store
    uint64_t errors = 0;  // of them
    Duration time{};      // of all of them, from the store's being asked to its answer
    Duration last{};      // of the last one that was measured
};

struct Storage {
    // A prime: calls come in batches of the same size, and the first of a batch is the slowest.
    static constexpr uint64_t kMeasured = 17;

    std::string name;
    std::string driver;  // as in the configuration
    std::unique_ptr<Store> store;
    std::array<OperationStats, kOperations> operations{};
    uint64_t hits = 0;  // keys of MGet that were there
    uint64_t misses = 0;

    // Around a call of the store. The instant tells when it began; none: it is not measured. Two looks
    // at the clock would be a tenth of a call that is answered at once: there one of kMeasured is
    // measured, and its time counts for those that follow.
    Instant Begin(Operation operation) const;
    void End(Operation operation, Instant begun, bool good);

    uint64_t calls() const;
    uint64_t errors() const;
};

// In the order of the section.
using Storages = std::vector<std::unique_ptr<Storage>>;

// Appends rr_kv_*: each with the labels storage and driver.
void CollectMetrics(const Storages& storages, std::vector<MetricFamily>& families);

}  // namespace rr::kv
