// PoolConfig: the `pool` block of every plugin that has workers. Names are RoadRunner's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {
class Section;
}

namespace rr::pool {

// RoadRunner's bound, in the file and by hand.
inline constexpr uint32_t kMostWorkers = 500;

struct PoolConfig {
    enum class Prefetch : uint8_t { kAuto, kOff };

    struct Supervisor {
        Duration watch_tick = std::chrono::seconds(5);
        Duration ttl{};                  // 0: off
        Duration idle_ttl{};             // 0: off
        Duration exec_ttl{};             // 0: off
        uint64_t max_worker_memory = 0;  // MiB; 0: off
    };
    struct DynamicAllocator {
        uint32_t max_workers = 10;  // beyond num_workers
        uint32_t spawn_rate = 5;
        Duration idle_timeout = std::chrono::seconds(60);
    };

    uint32_t num_workers = 0;     // 0 in the file: one per logical CPU (already filled in here)
    uint64_t max_jobs = 0;        // 0: off
    int64_t max_queue_size = -1;  // -1: not set (our own bound); 0: none; N: waiting + executing
    Duration allocate_timeout = std::chrono::seconds(60);
    Duration destroy_timeout = std::chrono::seconds(60);
    Duration reset_timeout = std::chrono::seconds(60);
    Duration stream_timeout = std::chrono::seconds(60);
    bool debug = false;
    uint32_t debug_workers = 0;        // at a time in debug; 0: 8, or two per logical CPU if more
    std::vector<std::string> command;  // empty: server.command
    Prefetch prefetch = Prefetch::kAuto;
    bool fence = false;
    uint32_t reset_surge = 100;  // percent of num_workers

    bool supervised = false;
    Supervisor supervisor;
    bool dynamic = false;
    DynamicAllocator allocator;
};

// Reads the block; problems are reported through the section. defaults: where the plugin has others;
// only num_workers, allocate_timeout and debug of them count.
PoolConfig ParsePoolConfig(const config::Section& section, const PoolConfig& defaults = {});

}  // namespace rr::pool
