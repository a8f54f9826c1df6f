#include "plugins/kv/lmdb/lmdb_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/config/section.hpp"
#include "core/net/timer.hpp"
#include "plugins/kv/lmdb/lmdb_file.hpp"

namespace rr::kv {
namespace {

using Call = LmdbFile::Call;
using Calls = LmdbFile::Calls;

constexpr size_t kMostCalls = 4096;                 // of a batch
constexpr size_t kMostBytes = 16 << 20;             // the same; one call may have more
constexpr size_t kMostWaiting = size_t{256} << 20;  // bytes of calls that wait
constexpr size_t kSweepStep = 1000;
// A server that is just ending may still have the file.
constexpr int kTries = 20;
constexpr Duration kBetweenTries = std::chrono::milliseconds(100);

bool IsRead(Operation operation) {
    return operation == Operation::kHas || operation == Operation::kMGet ||
           operation == Operation::kTtl;
}

std::unique_ptr<Call> CopyCall(Operation operation, std::span<const Item> items, Store::Done done) {
    auto call = std::make_unique<Call>();
    call->operation = operation;
    call->done = std::move(done);
    size_t size = 0;
    for (const Item& item : items) {
        size += item.key.size() + item.value.size() + item.timeout.size();
    }
    call->memory.Reserve(size);
    call->items.reserve(items.size());
    const auto keep = [&](std::string_view bytes) {
        const char* at = call->memory.tail();
        call->memory.Append(bytes);
        return std::string_view(at, bytes.size());
    };
    for (const Item& item : items) {
        // One after another: the order of evaluation is that of the list.
        call->items.push_back(
            Item{keep(item.key), keep(item.value), keep(item.timeout), item.expires});
    }
    return call;
}

// What the file could not keep; bolt's words where it has some.
std::string_view Refusal(Operation operation, std::span<const Item> items) {
    if (operation == Operation::kClear) {
        return {};
    }
    for (const Item& item : items) {
        if (operation == Operation::kMExpire && (item.key.empty() || item.timeout.empty())) {
            return "should set timeout and at least one key";
        }
        if (item.key.empty()) {
            return "key required";
        }
        if (item.key.size() > LmdbFile::kLongestKey) {
            return "key too large";
        }
        if (item.timeout.size() > UINT8_MAX) {
            return "the timeout is too long";
        }
    }
    return {};
}

class LmdbStore final : public Store, private LoopBound, private Flushable {
public:
    LmdbStore(const LmdbConfig& config, const StoreContext& context)
        : LoopBound(context.loop),
          config_(config),
          storage_(context.storage),
          log_(context.log),
          try_timer_(context.loop, [this] { TryToOpen(); }),
          sweep_timer_(context.loop, [this] { OnSweepTimer(); }),
          sync_timer_(context.loop, [this] { OnSyncTimer(); }),
          self_(std::make_shared<LmdbStore*>(this)) {}

    ~LmdbStore() override {
        *self_ = nullptr;
        loop_.ForgetTurnEnd(*this);
    }

    std::string_view operations() const override { return "boltdb_driver"; }

    void Open(Callback<void(Result<void>)> opened) override {
        opened_ = std::move(opened);
        TryToOpen();
    }

    void Run(Operation operation, std::span<const Item> items, Done done) override {
        AssertInLoop();
        if (auto problem = Refusal(operation, items); !problem.empty()) {
            done(Fail(Errc::kInvalid, std::string(problem)));
            return;
        }
        if (waiting_bytes_ > kMostWaiting) {
            done(Fail(Errc::kBusy, "too many calls wait for the disk"));
            return;
        }
        auto call = CopyCall(operation, items, std::move(done));
        waiting_bytes_ += call->memory.size();
        (IsRead(operation) ? reads_ : writes_).waiting.push_back(std::move(call));
        // Not at once: what comes in the same turn of the loop shares the batch.
        loop_.AtTurnEnd(*this);
    }

    void Close(Callback<void()> closed) override {
        closed_ = std::move(closed);
        sweep_timer_.Disarm();
        sync_timer_.Disarm();
        sweep_wanted_ = false;
        StartReads();
        StartWrites();
        CloseIfIdle();
    }

    StoreStats stats() const override { return stats_; }

private:
    struct Lane {
        Calls waiting;
        bool busy = false;
    };
    // What a helper thread works on.
    struct Batch {
        Calls calls;
        bool sweep = false;
        Result<size_t> swept = 0;
    };

    // ---- opening

    void TryToOpen() {
        LmdbFile::Options options;
        options.path = config_.file;
        options.permissions = config_.permissions;
        options.max_size = config_.max_size;
        options.sync_commits = config_.sync == LmdbConfig::Sync::kAlways;
        using File = Result<std::unique_ptr<LmdbFile>>;
        auto file = std::make_shared<std::optional<File>>();
        loop_.Offload([options, file] { file->emplace(LmdbFile::Open(options)); },
                      [self = self_, file] {
                          if (*self != nullptr) {
                              (*self)->OnOpened(std::move(**file));
                          }
                      });
    }

    void OnOpened(Result<std::unique_ptr<LmdbFile>> file) {
        if (!file && file.error().code == Errc::kBusy && ++tries_ < kTries) {
            try_timer_.Arm(kBetweenTries);
            return;
        }
        if (!file) {
            opened_(Forward(file));
            return;
        }
        file_ = std::move(*file);
        ShowStats();
        sweep_timer_.Repeat(config_.interval);
        opened_({});
    }

    // ---- batches

    void OnTurnEnd() override {
        StartReads();
        StartWrites();
    }

    Calls Take(Lane& lane) {
        size_t bytes = 0;
        size_t count = 0;
        while (count < lane.waiting.size() && count < kMostCalls && bytes < kMostBytes) {
            bytes += lane.waiting[count++]->memory.size();
        }
        waiting_bytes_ -= bytes;
        const auto end = lane.waiting.begin() + static_cast<ptrdiff_t>(count);
        Calls taken(std::make_move_iterator(lane.waiting.begin()), std::make_move_iterator(end));
        lane.waiting.erase(lane.waiting.begin(), end);
        return taken;
    }

    static void Answer(Calls& calls) {
        for (auto& call : calls) {
            call->done(std::move(call->result));
        }
    }

    void StartReads() {
        if (reads_.busy || reads_.waiting.empty()) {
            return;
        }
        reads_.busy = true;
        auto batch = std::make_shared<Batch>(Batch{Take(reads_)});
        loop_.Offload([file = file_, batch] { file->Read(batch->calls, UnixNanoseconds()); },
                      [self = self_, batch] {
                          if (*self != nullptr) {
                              (*self)->OnRead(*batch);
                          }
                      });
    }

    void OnRead(Batch& batch) {
        reads_.busy = false;
        Answer(batch.calls);
        StartReads();
        CloseIfIdle();
    }

    void StartWrites() {
        if (writes_.busy || (writes_.waiting.empty() && !sweep_wanted_)) {
            return;
        }
        writes_.busy = true;
        auto batch = std::make_shared<Batch>(Batch{Take(writes_), sweep_wanted_});
        loop_.Offload(
            [file = file_, batch] {
                if (!batch->calls.empty()) {
                    file->Write(batch->calls, UnixNanoseconds());
                }
                if (batch->sweep) {
                    batch->swept = file->Sweep(UnixNanoseconds(), kSweepStep);
                }
            },
            [self = self_, batch] {
                if (*self != nullptr) {
                    (*self)->OnWritten(*batch);
                }
            });
    }

    void OnWritten(Batch& batch) {
        writes_.busy = false;
        if (batch.sweep) {
            OnSwept(batch.swept);
        }
        ShowStats();
        WantSync();
        Answer(batch.calls);
        StartWrites();
        CloseIfIdle();
    }

    // Here, not while a batch runs: what it removed and why is shown at one time.
    void ShowStats() {
        stats_.keys = file_->keys();
        stats_.bytes = file_->bytes();
    }

    // ---- what ran out

    void OnSweepTimer() {
        sweep_wanted_ = true;
        StartWrites();
    }

    void OnSwept(const Result<size_t>& swept) {
        // A full step: there may be more, behind what waits meanwhile.
        sweep_wanted_ = sweep_wanted_ && swept && *swept == kSweepStep;
        if (swept) {
            stats_.expired += *swept;
        } else {
            log_.Warn("keys that ran out could not be removed",
                      {{"storage", storage_}, {"error", swept.error().message}});
        }
    }

    // ---- the disk

    void WantSync() {
        if (config_.sync != LmdbConfig::Sync::kInterval) {
            return;
        }
        unsynced_ = true;
        if (!syncing_ && !sync_timer_.armed() && !closed_) {
            sync_timer_.Arm(config_.sync_interval);
        }
    }

    void OnSyncTimer() {
        syncing_ = true;
        unsynced_ = false;
        auto synced = std::make_shared<Result<void>>();
        loop_.Offload([file = file_, synced] { *synced = file->Sync(); },
                      [self = self_, synced] {
                          if (*self != nullptr) {
                              (*self)->OnSynced(*synced);
                          }
                      });
    }

    void OnSynced(const Result<void>& synced) {
        syncing_ = false;
        if (!synced) {
            log_.Error("what was written may not be on the disk",
                       {{"storage", storage_}, {"error", synced.error().message}});
        }
        if (unsynced_ || !synced) {
            WantSync();
        }
        CloseIfIdle();
    }

    // ---- closing

    void CloseIfIdle() {
        if (!closed_ || reads_.busy || writes_.busy || syncing_) {
            return;
        }
        if (file_ == nullptr) {
            std::exchange(closed_, nullptr)();
            return;
        }
        reads_.busy = true;
        const bool sync = config_.sync != LmdbConfig::Sync::kNever;
        loop_.Offload(
            [file = std::move(file_), sync]() mutable {
                if (sync) {
                    (void)file->Sync().has_value();
                }
                file.reset();
            },
            [self = self_] {
                if (*self != nullptr) {
                    (*self)->reads_.busy = false;
                    (*self)->CloseIfIdle();
                }
            });
    }

    const LmdbConfig config_;
    const std::string storage_;
    const log::Logger log_;
    net::Timer try_timer_;
    net::Timer sweep_timer_;
    net::Timer sync_timer_;
    int tries_ = 0;
    std::shared_ptr<LmdbFile> file_;  // shared with the helper threads; ours but for that
    Lane reads_;
    Lane writes_;
    size_t waiting_bytes_ = 0;
    bool sweep_wanted_ = false;
    bool unsynced_ = false;  // something was written since the last sync began
    bool syncing_ = false;
    StoreStats stats_;  // as of the last batch of writes
    Callback<void(Result<void>)> opened_;
    Callback<void()> closed_;
    std::shared_ptr<LmdbStore*> self_;  // null in what comes back after us
};

}  // namespace

std::unique_ptr<Store> MakeLmdbStore(const config::Section& section, const StoreContext& context) {
    LmdbConfig config;
    const std::string file = section.String("file", config.file);
    config.file = file.starts_with('/') ? file : context.directory + "/" + file;
    config.permissions =
        static_cast<unsigned>(section.Integer("permissions", config.permissions, 0, 07777));
    config.interval = section.Time("interval", config.interval, std::chrono::milliseconds(10));
    const std::string sync = section.OneOf("sync", "interval", {"always", "interval", "never"});
    config.sync = sync == "always"  ? LmdbConfig::Sync::kAlways
                  : sync == "never" ? LmdbConfig::Sync::kNever
                                    : LmdbConfig::Sync::kInterval;
    config.sync_interval =
        section.Time("sync_interval", config.sync_interval, std::chrono::milliseconds(10));
    config.max_size = static_cast<uint64_t>(section.Size("max_size", 0));
    return MakeLmdbStore(config, context);
}

std::unique_ptr<Store> MakeLmdbStore(const LmdbConfig& config, const StoreContext& context) {
    return std::make_unique<LmdbStore>(config, context);
}

}  // namespace rr::kv
