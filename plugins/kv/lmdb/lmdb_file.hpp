// LmdbFile: one LMDB file, with the operations of a store on batches of calls.
//
// A batch of writes is one transaction: it stands as a whole when Write returns, whatever becomes of
// the process afterwards; when the machine stops, sync decides. The map grows by itself.
//
// Thread: any; every method blocks: run them by Loop::Offload. Write and Sweep one at a time; Read and
//         Sync may run beside them.
// Owns:   the environment, and the lock that keeps other processes away.
// Fails:  kBusy: another process has the file; kInvalid: it is no file of ours; kIo, with LMDB's or
//         the system's words.
#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "core/base/file_lock.hpp"
#include "core/base/result.hpp"
#include "plugins/kv/store.hpp"

struct MDB_env;
struct MDB_txn;

namespace rr::kv {

class LmdbFile {
public:
    // LMDB's own bound, for keys and for what is sorted.
    static constexpr size_t kLongestKey = 511;

    struct Options {
        std::string path;
        unsigned permissions = 0755;
        uint64_t max_size = 0;      // bytes of what is kept; 0: as much as the disk allows
        bool sync_commits = false;  // every Write is on the disk when it returns
        uint64_t first_map = 16 << 20;
    };

    // A call with memory of its own.
    struct Call {
        Operation operation;
        std::vector<Item> items;
        Buffer memory;  // what the items point to
        Store::Done done;
        Result<Found> result;
    };
    using Calls = std::vector<std::unique_ptr<Call>>;

    static Result<std::unique_ptr<LmdbFile>> Open(Options options);
    ~LmdbFile();
    LmdbFile(const LmdbFile&) = delete;
    LmdbFile& operator=(const LmdbFile&) = delete;

    // Each call gets its result; one that fails leaves nothing, and the others stand.
    void Write(const Calls& calls, int64_t now);
    void Read(const Calls& calls, int64_t now);
    // Removes at most `most` keys that ran out: how many.
    Result<size_t> Sweep(int64_t now, size_t most);
    // What was written is on the disk.
    Result<void> Sync();

    // As of the last Write or Sweep. REQUIRES: none runs.
    uint64_t keys() const { return keys_; }
    uint64_t bytes() const { return bytes_; }

private:
    class Transaction;

    explicit LmdbFile(Options options) : options_(std::move(options)) {}
    Result<void> OpenEnvironment();
    void CloseEnvironment();
    // A larger map; false: there is none. REQUIRES: map_, alone.
    bool Grow();
    // Runs `change` in a transaction and commits it; again with a larger map if that is what it needs.
    template <class Change>
    int Commit(Change change);
    Error Explain(int code);

    int Apply(Transaction& transaction, const Call& call, int64_t now);
    int Answer(Transaction& transaction, Call& call, int64_t now);

    const Options options_;
    FileLock lock_;
    // Changing the map needs a moment without any transaction of ours.
    std::shared_mutex map_;
    MDB_env* env_ = nullptr;
    unsigned values_ = 0;
    unsigned ends_ = 0;
    uint64_t keys_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace rr::kv
