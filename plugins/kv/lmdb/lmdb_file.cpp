#include "plugins/kv/lmdb/lmdb_file.hpp"

#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "core/base/check.hpp"
#include "plugins/kv/lmdb/record.hpp"

namespace rr::kv {
namespace {

// Where a map of ours ends: 16 TiB of addresses, an eighth of what a process has.
constexpr uint64_t kLargestMap = uint64_t{16} << 40;
// Beside LMDB's own: what is kept would be more than max_size.
constexpr int kFull = 1;

// EIO: LMDB's word for a write that took only a part.
bool IsFullDisk(int code) {
    return code == ENOSPC || code == EFBIG || code == EDQUOT || code == EIO;
}

MDB_val ToVal(Bytes bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
Bytes ToBytes(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }
Bytes ToBytes(const EndKey& key) { return {key.data(), key.size()}; }

}  // namespace

// One transaction: what it has not committed is undone.
class LmdbFile::Transaction {
public:
    Transaction(const LmdbFile& file, unsigned flags) : values_(file.values_), ends_(file.ends_) {
        problem_ = mdb_txn_begin(file.env_, nullptr, flags, &txn_);
    }
    ~Transaction() {
        if (txn_ != nullptr) {
            mdb_txn_abort(txn_);
        }
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    int problem() const { return problem_; }
    int Commit() { return mdb_txn_commit(std::exchange(txn_, nullptr)); }

    // 0, MDB_NOTFOUND or another error. A record that is none of ours counts as none at all.
    int Get(Bytes key, Record& record) {
        MDB_val k = ToVal(key);
        MDB_val v{};
        const int code = mdb_get(txn_, values_, &k, &v);
        return code == 0 && !ReadRecord(ToBytes(v), record) ? MDB_NOTFOUND : code;
    }

    // The record of a key, in the place of what there was.
    int Put(Bytes key, const Record& record) {
        if (const int code = ForgetEnd(key); code != 0) {
            return code;
        }
        MDB_val k = ToVal(key);
        MDB_val v{RecordSize(record), nullptr};
        if (const int code = mdb_put(txn_, values_, &k, &v, MDB_RESERVE); code != 0) {
            return code;
        }
        WriteRecord(record, static_cast<char*>(v.mv_data));
        if (record.expires == 0) {
            return 0;
        }
        const EndKey end = ToEndKey(record.expires);
        MDB_val e = ToVal(ToBytes(end));
        return mdb_put(txn_, ends_, &e, &k, 0);
    }

    int Delete(Bytes key) {
        if (const int code = ForgetEnd(key); code != 0) {
            return code;
        }
        MDB_val k = ToVal(key);
        const int code = mdb_del(txn_, values_, &k, nullptr);
        return code == MDB_NOTFOUND ? 0 : code;
    }

    int Clear() {
        const int code = mdb_drop(txn_, values_, 0);
        return code != 0 ? code : mdb_drop(txn_, ends_, 0);
    }

    // Removes the first keys that end until `now`.
    int Sweep(int64_t now, size_t most, size_t& swept) {
        MDB_cursor* cursor = nullptr;
        if (const int code = mdb_cursor_open(txn_, ends_, &cursor); code != 0) {
            return code;
        }
        int code = 0;
        for (; code == 0 && swept < most; ++swept) {
            MDB_val end{};
            MDB_val key{};
            code = mdb_cursor_get(cursor, &end, &key, MDB_FIRST);
            if (code != 0 || end.mv_size != sizeof(EndKey) || FromEndKey(ToBytes(end)) > now) {
                break;
            }
            Record record;
            const int64_t at = FromEndKey(ToBytes(end));
            // Its own memory may move while the other tree is changed.
            const std::string copy(ToBytes(key));
            MDB_val k = ToVal(copy);
            if (Get(copy, record) == 0 && record.expires == at) {
                code = mdb_del(txn_, values_, &k, nullptr);
            }
            if (code == 0) {
                code = mdb_cursor_del(cursor, 0);
            }
        }
        mdb_cursor_close(cursor);
        return code == MDB_NOTFOUND ? 0 : code;
    }

    uint64_t Keys() {
        MDB_stat stat{};
        return mdb_stat(txn_, values_, &stat) == 0 ? stat.ms_entries : 0;
    }

    // Of the pages that are in use.
    uint64_t UsedBytes() {
        uint64_t bytes = 0;
        for (MDB_dbi tree : {values_, ends_}) {
            MDB_stat stat{};
            if (mdb_stat(txn_, tree, &stat) == 0) {
                bytes += (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
                         uint64_t{stat.ms_psize};
            }
        }
        return bytes;
    }

    // Changes something and nothing: the next transaction may use what the last one gave free.
    int Nudge() {
        const EndKey end = ToEndKey(INT64_MAX);
        MDB_val e = ToVal(ToBytes(end));
        MDB_val k = ToVal("\xff");  // no text: nobody's key
        const int code = mdb_put(txn_, ends_, &e, &k, 0);
        return code != 0 ? code : mdb_del(txn_, ends_, &e, &k);
    }

private:
    int ForgetEnd(Bytes key) {
        Record old;
        int code = Get(key, old);
        if (code == 0 && old.expires != 0) {
            const EndKey end = ToEndKey(old.expires);
            MDB_val e = ToVal(ToBytes(end));
            MDB_val k = ToVal(key);
            code = mdb_del(txn_, ends_, &e, &k);
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }

    const MDB_dbi values_;
    const MDB_dbi ends_;
    MDB_txn* txn_ = nullptr;
    int problem_ = 0;
};

// ---- the environment ---------------------------------------------------------------------------

Result<std::unique_ptr<LmdbFile>> LmdbFile::Open(Options options) {
    std::unique_ptr<LmdbFile> file(new LmdbFile(std::move(options)));
    auto lock = FileLock::Take(file->options_.path, file->options_.permissions);
    if (!lock) {
        return Forward(lock);
    }
    file->lock_ = std::move(*lock);
    if (auto opened = file->OpenEnvironment(); !opened) {
        return Forward(opened);
    }
    return file;
}

LmdbFile::~LmdbFile() { CloseEnvironment(); }

void LmdbFile::CloseEnvironment() {
    if (env_ != nullptr) {
        mdb_env_close(std::exchange(env_, nullptr));
    }
}

Result<void> LmdbFile::OpenEnvironment() {
    const auto failed = [this](int code) {
        Error error = Explain(code);
        CloseEnvironment();
        return tl::unexpected<Error>(std::move(error));
    };
    // No thread-local reader slots: transactions run on whatever helper thread is free.
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (options_.sync_commits ? 0 : MDB_NOSYNC);
    int code = mdb_env_create(&env_);
    if (code != 0) {
        return failed(code);
    }
    mdb_env_set_maxdbs(env_, 2);
    mdb_env_set_mapsize(env_, options_.first_map);  // at least what the file has: LMDB looks
    code = mdb_env_open(env_, options_.path.c_str(), flags, options_.permissions & 0666);
    if (code != 0) {
        return failed(code);
    }
    int dead = 0;
    mdb_reader_check(env_, &dead);
    for (bool again = true; again;) {
        again = false;
        MDB_txn* txn = nullptr;
        code = mdb_txn_begin(env_, nullptr, 0, &txn);
        if (code != 0) {
            return failed(code);
        }
        code = mdb_dbi_open(txn, "rr.values.1", MDB_CREATE, &values_);
        if (code == 0) {
            code = mdb_dbi_open(txn, "rr.ends.1", MDB_CREATE | MDB_DUPSORT, &ends_);
        }
        MDB_stat stat{};
        if (code == 0 && (code = mdb_stat(txn, values_, &stat)) == 0) {
            keys_ = stat.ms_entries;
        }
        if (code == 0) {
            code = mdb_txn_commit(txn);
        } else {
            mdb_txn_abort(txn);
        }
        if (code == MDB_MAP_FULL) {
            again = Grow();
        }
    }
    if (code != 0) {
        return failed(code);
    }
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env_, &info);
    mdb_env_stat(env_, &stat);
    bytes_ = (info.me_last_pgno + 1) * stat.ms_psize;
    return {};
}

bool LmdbFile::Grow() {
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    const uint64_t wanted = std::min<uint64_t>(info.me_mapsize * 2, kLargestMap);
    return wanted > info.me_mapsize && mdb_env_set_mapsize(env_, wanted) == 0;
}

Error LmdbFile::Explain(int code) {
    switch (code) {
        case kFull: return Error(Errc::kIo, "the storage is full: max_size is reached");
        case MDB_INVALID:
        case MDB_VERSION_MISMATCH:
            return Error(Errc::kInvalid,
                         options_.path +
                             " is no file of this driver; one of RoadRunner's boltdb is not read "
                             "either: move it away and a new one is made");
        default:
            return Error(Errc::kIo, options_.path + ": " + mdb_strerror(code) +
                                        (code == EIO ? " (is the disk full?)" : ""));
    }
}

// ---- calls -------------------------------------------------------------------------------------

template <class Change>
int LmdbFile::Commit(Change change) {
    bool nudged = false;
    while (true) {
        int code = 0;
        {
            std::shared_lock<std::shared_mutex> map(map_);
            if (env_ == nullptr) {
                return MDB_PANIC;
            }
            Transaction transaction(*this, 0);
            code = transaction.problem();
            if (code == 0) {
                code = change(transaction);
            }
            if (code == 0) {
                const uint64_t keys = transaction.Keys();
                code = transaction.Commit();
                if (code == 0) {
                    MDB_envinfo info{};
                    MDB_stat stat{};
                    mdb_env_info(env_, &info);
                    mdb_env_stat(env_, &stat);
                    keys_ = keys;
                    bytes_ = (info.me_last_pgno + 1) * stat.ms_psize;
                }
            }
        }
        if (IsFullDisk(code) && !nudged) {
            // What the last transaction gave free is not used by the one that follows it. So after a
            // Clear of a full disk the first one would fail, and each after it again.
            nudged = true;
            std::shared_lock<std::shared_mutex> map(map_);
            Transaction transaction(*this, 0);
            if (transaction.problem() == 0 && transaction.Nudge() == 0 &&
                transaction.Commit() == 0) {
                continue;
            }
            return code;
        }
        if (code != MDB_MAP_FULL && code != MDB_PANIC) {
            return code;
        }
        std::unique_lock<std::shared_mutex> alone(map_);
        if (code == MDB_MAP_FULL && Grow()) {
            continue;
        }
        if (code == MDB_PANIC) {
            // LMDB could not write the page that says what holds, and trusts its own state no more:
            // what is on the disk is whole, so begin with that.
            CloseEnvironment();
            (void)OpenEnvironment().has_value();
        }
        return code;
    }
}

void LmdbFile::Write(const Calls& calls, int64_t now) {
    const auto apply = [&](const auto& some) {
        return Commit([&](Transaction& transaction) {
            int code = 0;
            for (const auto& call : some) {
                code = code == 0 ? Apply(transaction, *call, now) : code;
            }
            return code;
        });
    };
    if (apply(calls) == 0) {
        return;
    }
    // One of them did not fit; perhaps the others do.
    for (const auto& call : calls) {
        if (const int code = apply(std::span(&call, 1)); code != 0) {
            call->result = tl::unexpected<Error>(Explain(code));
        }
    }
}

int LmdbFile::Apply(Transaction& transaction, const Call& call, int64_t now) {
    if (call.operation == Operation::kClear) {
        return transaction.Clear();
    }
    for (const Item& item : call.items) {
        int code = 0;
        const bool ended = item.expires != 0 && item.expires <= now;
        if (call.operation == Operation::kDelete || (call.operation == Operation::kSet && ended)) {
            code = transaction.Delete(item.key);
        } else if (call.operation == Operation::kSet) {
            code = transaction.Put(item.key, {item.expires, item.timeout, item.value});
        } else {
            Record record;
            code = transaction.Get(item.key, record);
            if (code == MDB_NOTFOUND || (code == 0 && !record.LivesAt(now))) {
                continue;
            }
            if (code == 0 && ended) {
                code = transaction.Delete(item.key);
            } else if (code == 0) {
                // The value lies in the page that Put may change.
                const std::string value(record.value);
                code = transaction.Put(item.key, {item.expires, item.timeout, value});
            }
        }
        if (code != 0) {
            return code;
        }
    }
    const bool full = options_.max_size > 0 && call.operation == Operation::kSet &&
                      transaction.UsedBytes() > options_.max_size;
    return full ? kFull : 0;
}

void LmdbFile::Read(const Calls& calls, int64_t now) {
    std::shared_lock<std::shared_mutex> map(map_);
    const auto fail = [&](Call& call, int code) {
        call.result = tl::unexpected<Error>(Explain(code));
    };
    if (env_ == nullptr) {
        for (const auto& call : calls) {
            fail(*call, MDB_PANIC);
        }
        return;
    }
    Transaction transaction(*this, MDB_RDONLY);
    for (const auto& call : calls) {
        const int code =
            transaction.problem() != 0 ? transaction.problem() : Answer(transaction, *call, now);
        if (code != 0) {
            fail(*call, code);
        }
    }
}

int LmdbFile::Answer(Transaction& transaction, Call& call, int64_t now) {
    Found& found = *call.result;
    for (const Item& item : call.items) {
        Record record;
        const int code = transaction.Get(item.key, record);
        if (code == MDB_NOTFOUND || (code == 0 && !record.LivesAt(now))) {
            continue;
        }
        if (code != 0) {
            return code;
        }
        switch (call.operation) {
            case Operation::kHas: found.Add(item.key); break;
            case Operation::kMGet: found.AddValue(item.key, record.value); break;
            default:  // RoadRunner's names only those that have an end
                if (record.expires != 0) {
                    found.AddTimeout(item.key, record.timeout);
                }
                break;
        }
    }
    return 0;
}

Result<size_t> LmdbFile::Sweep(int64_t now, size_t most) {
    size_t swept = 0;
    const int code = Commit([&](Transaction& transaction) {
        swept = 0;
        return transaction.Sweep(now, most, swept);
    });
    if (code != 0) {
        return tl::unexpected<Error>(Explain(code));
    }
    return swept;
}

Result<void> LmdbFile::Sync() {
    std::shared_lock<std::shared_mutex> map(map_);
    const int code = env_ == nullptr ? MDB_PANIC : mdb_env_sync(env_, 1);
    if (code != 0) {
        return tl::unexpected<Error>(Explain(code));
    }
    return {};
}

}  // namespace rr::kv
