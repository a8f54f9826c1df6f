#include "core/pool/config.hpp"

#include <algorithm>
#include <thread>

#include "core/config/section.hpp"

namespace rr::pool {
namespace {

constexpr int64_t kMostExtras = 100;

uint32_t LogicalCpus() { return std::max(1U, std::thread::hardware_concurrency()); }

PoolConfig::Supervisor ParseSupervisor(const config::Section& s) {
    PoolConfig::Supervisor c;
    c.watch_tick = s.Time("watch_tick", c.watch_tick);
    c.ttl = s.Time("ttl", c.ttl);
    c.idle_ttl = s.Time("idle_ttl", c.idle_ttl);
    c.exec_ttl = s.Time("exec_ttl", c.exec_ttl);
    c.max_worker_memory = static_cast<uint64_t>(s.Integer("max_worker_memory", 0, 0, 1 << 24));
    if (c.watch_tick <= Duration::zero()) {
        c.watch_tick = PoolConfig::Supervisor{}.watch_tick;
    }
    return c;
}

PoolConfig::DynamicAllocator ParseAllocator(const config::Section& s) {
    PoolConfig::DynamicAllocator c;
    int64_t most = s.Integer("max_workers", c.max_workers, 0);
    int64_t rate = s.Integer("spawn_rate", c.spawn_rate, 0);
    // The reference clamps both and reads 0 as the default.
    c.max_workers = most == 0 ? c.max_workers : static_cast<uint32_t>(std::min(most, kMostExtras));
    c.spawn_rate = rate == 0 ? c.spawn_rate : static_cast<uint32_t>(std::min(rate, kMostExtras));
    Duration idle = s.Time("idle_timeout", c.idle_timeout);
    c.idle_timeout = idle < std::chrono::seconds(1) ? c.idle_timeout : idle;
    return c;
}

// 0 would let nothing ever start: as in the reference it means the default.
Duration Positive(const config::Section& s, std::string_view key, Duration fallback) {
    Duration d = s.Time(key, fallback);
    return d > Duration::zero() ? d : fallback;
}

}  // namespace

PoolConfig ParsePoolConfig(const config::Section& s, const PoolConfig& defaults) {
    PoolConfig c;
    c.debug = s.Bool("debug", defaults.debug);
    auto workers = s.Integer("num_workers", defaults.num_workers, 0);
    if (workers > kMostWorkers) {
        s.Problem("num_workers", "number of workers can't be more than 500");
        workers = kMostWorkers;
    }
    c.num_workers = workers == 0 ? LogicalCpus() : static_cast<uint32_t>(workers);
    c.max_jobs = static_cast<uint64_t>(s.Integer("max_jobs", 0, 0));
    if (s.Has("max_queue_size")) {
        c.max_queue_size = s.Integer("max_queue_size", 0, 0);
    }
    c.allocate_timeout = Positive(s, "allocate_timeout", defaults.allocate_timeout);
    c.destroy_timeout = Positive(s, "destroy_timeout", c.destroy_timeout);
    c.reset_timeout = Positive(s, "reset_timeout", c.reset_timeout);
    c.stream_timeout = Positive(s, "stream_timeout", c.stream_timeout);
    c.command = s.Command("command");
    c.prefetch = s.OneOf("prefetch", "auto", {"auto", "off"}) == "off"
                     ? PoolConfig::Prefetch::kOff
                     : PoolConfig::Prefetch::kAuto;
    c.fence = s.Bool("fence", false);
    c.reset_surge = static_cast<uint32_t>(s.Integer("reset_surge", 100, 1, 100));

    config::Section supervisor = s.Sub("supervisor");
    c.supervised = supervisor.present();
    c.supervisor = ParseSupervisor(supervisor);
    config::Section allocator = s.Sub("dynamic_allocator");
    c.dynamic = allocator.present();
    c.allocator = ParseAllocator(allocator);
    return c;
}

}  // namespace rr::pool
