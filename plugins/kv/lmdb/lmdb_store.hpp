// The driver `boltdb`, which is `lmdb`: keys live in a file of LMDB, over restarts.
//
//   file: rr.db           relative to the working directory; LMDB's lock file stands beside it
//   permissions: 0755     of a new file; nobody may execute it whatever they say
//   interval: 60s         how often what ran out is removed; nobody sees it before that
//   sync: interval        ours: when a write is on the disk: always, interval, never
//   sync_interval: 1s     ours
//   max_size: 0           ours: bytes of what is kept; 0: as much as the disk allows
//
// Thread: its loop. Disk work runs on helper threads: one batch of writes, one of reads and one sync at
//         a time, each with all that came while the one before it ran.
#pragma once

#include <memory>
#include <string>

#include "core/base/time.hpp"
#include "plugins/kv/store.hpp"

namespace rr::kv {

struct LmdbConfig {
    enum class Sync : uint8_t { kAlways, kInterval, kNever };

    std::string file = "rr.db";  // as it is opened
    unsigned permissions = 0755;
    Duration interval = std::chrono::seconds(60);
    Sync sync = Sync::kInterval;
    Duration sync_interval = std::chrono::seconds(1);
    uint64_t max_size = 0;
};

std::unique_ptr<Store> MakeLmdbStore(const config::Section& section, const StoreContext& context);
std::unique_ptr<Store> MakeLmdbStore(const LmdbConfig& config, const StoreContext& context);

}  // namespace rr::kv
