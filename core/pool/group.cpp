#include "core/pool/group.hpp"

#include <memory>
#include <utility>

#include "core/base/time.hpp"
#include "core/pool/process_stat.hpp"

namespace rr::pool {

PoolGroup::PoolGroup(std::string name, Loop& main, Loop& data, log::Logger log, bool vital)
    : name_(std::move(name)), main_(main), data_(data), log_(log), vital_(vital) {}

Result<void> PoolGroup::NoPool() const { return Fail(Errc::kClosed, name_ + " is not serving"); }

template <class What>
void PoolGroup::OnPool(Done done, What what) {
    data_.Post([this, done = std::move(done), what]() mutable {
        Done home = [this, done = std::move(done)](Result<void> result) mutable {
            main_.Post([done = std::move(done), result = std::move(result)]() mutable {
                done(std::move(result));
            });
        };
        if (pool_ == nullptr) {
            home(NoPool());
            return;
        }
        what(*pool_, std::move(home));
    });
}

void PoolGroup::Status(StatusDone done) {
    data_.Post([this, done = std::move(done)]() mutable {
        Result<GroupStatus> status = Fail(Errc::kClosed, name_ + " is not serving");
        if (pool_ != nullptr) {
            status = pool_->Status();
        }
        main_.Post([done = std::move(done), status = std::move(status)]() mutable {
            if (status) {
                FillUsage(*status);
            }
            done(std::move(status));
        });
    });
}

void PoolGroup::AddWorker(Done done) {
    OnPool(std::move(done), [](WorkerPool& pool, Done home) { pool.AddWorker(std::move(home)); });
}

void PoolGroup::RemoveWorker(Done done) {
    OnPool(std::move(done),
           [](WorkerPool& pool, Done home) { pool.RemoveWorker(std::move(home)); });
}

void PoolGroup::Reset(Callback<void(Result<void>)> done) {
    log_.Info("reset signal was received");
    if (on_reset_) {
        on_reset_();
    }
    Done logged = [this, done = std::move(done)](Result<void> result) mutable {
        if (result) {
            log_.Info("plugin was successfully reset");
        }
        done(std::move(result));
    };
    OnPool(std::move(logged), [](WorkerPool& pool, Done home) { pool.Reset(std::move(home)); });
}

void FillUsage(GroupStatus& status) {
    int64_t now = UnixNanoseconds();
    for (WorkerInfo& worker : status.workers) {
        ProcessStat stat = ReadProcessStat(static_cast<pid_t>(worker.pid));
        worker.memory_bytes = stat.resident_bytes;
        double age = static_cast<double>(now - worker.created_unix_ns) / 1e9;
        worker.cpu_percent = age > 0 ? stat.cpu_seconds / age * 100 : 0;
    }
}

}  // namespace rr::pool
