#include "plugins/http/route_pools.hpp"

#include <algorithm>
#include <utility>

namespace rr::http {

namespace {

constexpr Duration kGiveUp =
    std::chrono::seconds(10);  // for pools that started beside a failed one

}  // namespace

RoutePools::RoutePools(Loop& main, Loop& data, const HttpConfig& config, const log::Logger& log)
    : data_(data) {
    for (const Route& route : config.routes) {
        Add({"http.pools." + route.name, "http." + route.name, route.pool}, main, log, true);
    }
    if (config.debug) {
        Add({"http.debug", "http.debug", config.debug->pool}, main, log, false);
    }
}

void RoutePools::Add(Plan plan, Loop& main, const log::Logger& log, bool vital) {
    groups_.push_back(std::make_unique<pool::PoolGroup>(plan.name, main, data_, log, vital));
    plans_.push_back(std::move(plan));
}

void RoutePools::Open(const pool::Services& services, Callback<void(Result<void>)> opened) {
    opened_ = std::move(opened);
    pools_.resize(plans_.size());
    opening_ = plans_.size();
    for (size_t i = 0; i < plans_.size(); ++i) {
        pool::WorkerPool::Open(data_, services, plans_[i].name, plans_[i].pool,
                               groups_[i]->writable_pulse(),
                               [this, i](Result<std::unique_ptr<pool::WorkerPool>> pool) {
                                   OnPool(i, std::move(pool));
                               });
    }
    if (opening_ == 0) {
        CheckOpened();
    }
}

void RoutePools::OnPool(size_t i, Result<std::unique_ptr<pool::WorkerPool>> pool) {
    --opening_;
    if (pool) {
        pools_[i] = std::move(*pool);
    } else if (error_.empty()) {
        error_ = plans_[i].key + ": " + pool.error().message;
    }
    CheckOpened();
}

void RoutePools::CheckOpened() {
    if (opening_ > 0) {
        return;
    }
    if (closed_) {  // Close came meanwhile
        CloseAll();
        return;
    }
    if (error_.empty()) {
        std::exchange(opened_, nullptr)({});
        return;
    }
    deadline_ = Clock::now() + kGiveUp;
    closed_ = [this] { std::exchange(opened_, nullptr)(Fail(Errc::kProcess, error_)); };
    CloseAll();
}

std::vector<std::unique_ptr<pool::WorkerPool>> RoutePools::Take() {
    for (size_t i = 0; i < pools_.size(); ++i) {
        groups_[i]->Attach(*pools_[i]);
    }
    return std::move(pools_);
}

void RoutePools::Detach() {
    for (auto& group : groups_) {
        group->Detach();
    }
}

void RoutePools::Close(Deadline deadline, Callback<void()> closed) {
    deadline_ = deadline;
    if (closed_) {  // a failed start is being cleaned up
        closed_ = [first = std::move(closed_), then = std::move(closed)]() mutable {
            first();
            then();
        };
        return;
    }
    closed_ = std::move(closed);
    if (opening_ == 0) {
        CloseAll();
    }
}

void RoutePools::CloseAll() {
    closing_ = 1;
    auto one = [this] {
        if (--closing_ > 0) {
            return;
        }
        // Not inside a pool's own callback.
        data_.Post([this] {
            pools_.clear();
            std::exchange(closed_, nullptr)();
        });
    };
    for (auto& pool : pools_) {
        if (pool) {
            ++closing_;
            pool->Close(deadline_, one);
        }
    }
    one();
}

}  // namespace rr::http
