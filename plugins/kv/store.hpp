// Store: what a driver is to the kv plugin: one storage that keeps values under keys.
//
//   std::unique_ptr<Store> MakeRedisStore(const config::Section& section, const StoreContext&);
//
//   store->Open([](Result<void>) { ... });                       // once, in Serve
//   store->Run(Operation::kMGet, items, [](Result<Found>) { ... });
//   store->Close([] { ... });                                    // once, in Stop
//
// What every driver promises:
// - A call changes all of its items or none of them, as far as the driver can know beforehand: it
//   checks every item before it changes anything. (An error of the disk or of another server in the
//   middle of a call may leave a part; the answer is then an error.)
// - Values are opaque bytes, and empty ones are values. Of a key that stands twice in a Set the last
//   one holds.
// - A key whose time has passed is absent, to the millisecond at least: no call returns it. A Set
//   with a time that has passed removes the key.
// - A Set without a time ends an earlier one; so does a Delete.
//
// Thread: the loop that it was made for; the done of a call comes there.
// Owns:   its connections, files, memory.
// Fails:  through done: kInvalid for a key or a call that the driver does not take; kTimeout,
//         kClosed, kIo for what went wrong outside. The service puts the operations in front, as
//         `rpc_set:\n\tboltdb_driver_set: ` + message.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"

namespace rr::config {
class Section;
}

namespace rr::kv {

enum class Operation : uint8_t {
    kHas,      // Found: Add(key) for each that is there
    kSet,      // nothing is found
    kMGet,     // Found: AddValue(key, value) for each that is there
    kMExpire,  // sets the end of keys that are there; passes over others
    kTtl,      // Found: AddTimeout(key, text) for each that is there and has an end; one without an
               // end: Add(key), or nothing (RoadRunner's memory does the former)
    kDelete,   // of keys that may be there
    kClear,    // everything; items are not looked at
};
inline constexpr size_t kOperations = 7;

// As in the texts of errors: has, set, mget, mexpire, ttl, delete, clear.
inline constexpr std::array<std::string_view, kOperations> kOperationNames = {
    "has", "set", "mget", "mexpire", "ttl", "delete", "clear"};

// One item of a call. The service has checked: no key of Has, MGet, Ttl and Delete is empty or blank;
// `timeout` is a time. Set may come with an empty key, MExpire without key or timeout: those are the
// driver's to refuse.
struct Item {
    std::string_view key{};
    std::string_view value{};  // of Set
    std::string_view
        timeout{};        // of Set and MExpire: RFC 3339, as the client wrote it; empty: none
    int64_t expires = 0;  // the same in Unix nanoseconds; 0: none
};

// Found: what a call gives, kept as the wire format of the answer (kv.v1.Response).
//
// Thread: a plain value: a helper thread may fill it.
class Found {
public:
    void Add(std::string_view key) { Append(key, 0, {}); }
    void AddValue(std::string_view key, std::string_view value) { Append(key, kValue, value); }
    // text: RFC 3339 in whole seconds, or what the client wrote at Set.
    void AddTimeout(std::string_view key, std::string_view text) { Append(key, kTimeout, text); }

    // Empties it; keeps memory for a small answer.
    void Clear() {
        wire_.Clear(kKeep);
        count_ = 0;
    }

    size_t count() const { return count_; }
    Bytes wire() const { return wire_.view(); }

private:
    static constexpr uint32_t kKey = 1;
    static constexpr uint32_t kValue = 2;
    static constexpr uint32_t kTimeout = 3;
    static constexpr size_t kKeep = 4096;
    void Append(std::string_view key, uint32_t field, std::string_view bytes);

    Buffer wire_;
    size_t count_ = 0;
};

// What a store knows of itself without asking anybody.
struct StoreStats {
    std::optional<uint64_t> keys;   // that are kept; some may have run out a moment ago
    std::optional<uint64_t> bytes;  // of memory or disk
    uint64_t evictions = 0;         // since the start: keys dropped for want of room
    uint64_t expired = 0;           // since the start: keys removed because their time had passed
};

class Store {
public:
    // May take what is found along, or look at it during the call only.
    using Done = Callback<void(Result<Found>&&)>;

    virtual ~Store() = default;

    // What the operations of its errors begin with: `in_memory_plugin`, `boltdb_driver`,
    // `redis_plugin`, `memcached_plugin`.
    virtual std::string_view operations() const = 0;

    // done always comes inside of Run.
    virtual bool answers_at_once() const { return false; }

    // opened: exactly once, perhaps inside the call; an error stops the server's start. A server that
    // may come up later is no error here.
    virtual void Open(Callback<void(Result<void>)> opened) = 0;

    // The views in `items` are valid during the call only. done: exactly once. Unlike elsewhere it may
    // come inside the call: what lies in memory is answered at once.
    // REQUIRES: opened without an error, Close not called.
    virtual void Run(Operation operation, std::span<const Item> items, Done done) = 0;

    // Answers what still runs, then releases everything. closed: exactly once, perhaps inside.
    virtual void Close(Callback<void()> closed) = 0;

    virtual StoreStats stats() const = 0;
};

// What a driver is made with. A Make function reads the section (in Init: nothing is opened, no
// thread is started) and reports what is wrong with it by section.Problem.
struct StoreContext {
    Loop& loop;
    log::Logger log;        // of the kv plugin; records name the storage
    std::string storage;    // its name
    std::string directory;  // the server's working directory, absolute: relative paths begin here
};

using MakeStore = std::unique_ptr<Store> (*)(const config::Section& section,
                                             const StoreContext& context);

}  // namespace rr::kv
