// RoutePools: the pools of `http.pools` and the one of `http.debug`, from their start until the
// server takes them over.
//
// Thread: the data loop, but for the constructor, empty() and groups(), which are main's.
// Owns:   the groups by which they are listed and reset (`http.slow`, `http.debug`); the pools until
//         Take. Borrows the configuration.
// Fails:  Open: with the first error, once all that could be started is closed again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/log/logger.hpp"
#include "core/pool/group.hpp"
#include "core/pool/pool.hpp"
#include "core/pool/services.hpp"
#include "plugins/http/config.hpp"

namespace rr::http {

class RoutePools {
public:
    RoutePools(Loop& main, Loop& data, const HttpConfig& config, const log::Logger& log);

    bool empty() const { return plans_.empty(); }
    std::vector<std::unique_ptr<pool::PoolGroup>>& groups() { return groups_; }

    // opened: once, on the data loop.
    void Open(const pool::Services& services, Callback<void(Result<void>)> opened);

    // In the order of the routes, the debug pool last. They are listed and reset from now on.
    std::vector<std::unique_ptr<pool::WorkerPool>> Take();
    // Before the pools that were taken die.
    void Detach();

    // Instead of Take: ends what was started. closed: when nothing is left.
    void Close(Deadline deadline, Callback<void()> closed);

private:
    struct Plan {
        std::string key;   // `http.pools.slow`
        std::string name;  // `http.slow`
        const pool::PoolConfig& pool;
    };
    void Add(Plan plan, Loop& main, const log::Logger& log, bool vital);
    void OnPool(size_t i, Result<std::unique_ptr<pool::WorkerPool>> pool);
    void CheckOpened();
    void CloseAll();

    Loop& data_;
    std::vector<Plan> plans_;
    std::vector<std::unique_ptr<pool::PoolGroup>> groups_;
    std::vector<std::unique_ptr<pool::WorkerPool>> pools_;
    size_t opening_ = 0;
    size_t closing_ = 0;
    std::string error_;
    Callback<void(Result<void>)> opened_;
    Callback<void()> closed_;
    Deadline deadline_{};
};

}  // namespace rr::http
