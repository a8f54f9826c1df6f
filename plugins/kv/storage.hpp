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
    Duration time{};      // of all of them, from request to answer
};

struct Storage {
    std::string name;
    std::string driver;  // as in the configuration
    std::unique_ptr<Store> store;
    std::array<OperationStats, kOperations> operations{};
    uint64_t hits = 0;  // keys of MGet that were there
    uint64_t misses = 0;

    uint64_t calls() const;
    uint64_t errors() const;
};

// In the order of the section.
using Storages = std::vector<std::unique_ptr<Storage>>;

// Appends rr_kv_*: each with the labels storage and driver.
void CollectMetrics(const Storages& storages, std::vector<MetricFamily>& families);

}  // namespace rr::kv
