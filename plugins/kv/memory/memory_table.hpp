// MemoryTable: keys and values in memory, with ends and, if wanted, a bound for all of it.
//
// Nothing here takes long, however much is kept: the table grows in a thousand small parts, Clear only
// sets aside what it held, and Tidy releases that, and what ran out, in bounded steps. Beyond its
// bound the table drops what was not used for longest.
//
// Time is passed in, as Unix nanoseconds. A key whose end is not after `now` is not there, whether
// Tidy has removed it or not.
//
//   table.Set("k", "v", "2026-11-21T01:48:13Z", 1'795'225'693'000'000'000, now);
//   if (auto found = table.Get("k", now)) { found->value ... }      // until the next call
//   while (table.Tidy(now, 1000)) {}                                // true: there is more
//
// Thread: one; no locks inside.
// Owns:   all of it.
// Fails:  never; what cannot fit is asked for beforehand: Fits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/sip_hash.hpp"

namespace rr::kv {

class MemoryTable {
public:
    struct View {
        Bytes value;
        std::string_view timeout;  // as at Set; empty: none
        int64_t expires = 0;
    };

    // most: bytes of memory for keys, values and what holds them; 0: no bound.
    explicit MemoryTable(uint64_t most = 0);
    ~MemoryTable();
    MemoryTable(const MemoryTable&) = delete;
    MemoryTable& operator=(const MemoryTable&) = delete;

    // Whether a value of such sizes can be kept at all.
    bool Fits(Bytes key, Bytes value, std::string_view timeout) const;

    // expires 0: never. One that has passed removes the key.
    // REQUIRES: Fits, and a text of at most 255 bytes.
    void Set(Bytes key, Bytes value, std::string_view timeout, int64_t expires, int64_t now);
    // A use of the key, for what is dropped first.
    std::optional<View> Get(Bytes key, int64_t now);
    bool Has(Bytes key, int64_t now) const;
    // A new end for a key that is there; else false.
    bool SetEnd(Bytes key, std::string_view timeout, int64_t expires, int64_t now);
    void Delete(Bytes key);
    void Clear();

    // Removes at most `budget` keys that ran out, and releases at most `budget` that were set aside.
    // True: there is more to do.
    bool Tidy(int64_t now, size_t budget);
    // When the next key runs out.
    std::optional<int64_t> NextEnd() const {
        return ends_.empty() ? std::nullopt : std::optional(ends_.front().at);
    }
    // Something is set aside for Tidy.
    bool untidy() const { return !aside_.empty() || dropped_ != nullptr; }

    size_t size() const { return size_; }
    uint64_t bytes() const { return bytes_; }  // without what is set aside
    uint64_t evictions() const { return evictions_; }
    uint64_t expired() const { return expired_; }

private:
    struct Entry;
    struct End {
        int64_t at;
        Entry* entry;
    };
    using Chains = std::vector<Entry*>;
    struct Part {
        Chains chains;  // a power of two, or none
        size_t size = 0;
    };
    static constexpr size_t kParts = 1024;
    static constexpr size_t kLarge = 4096;
    static constexpr size_t kWays = 4;  // children of a node of ends_

    uint64_t HashOf(Bytes key) const { return SipHash(secret_, key); }
    static size_t Cost(size_t key, size_t value, size_t timeout);
    static Entry* Make(Bytes key, Bytes value, std::string_view timeout, uint64_t hash);
    static void Overwrite(Entry* entry, Bytes value, std::string_view timeout);
    static void Free(Entry* entry);
    static void ReleaseSmall();

    Part& PartOf(uint64_t hash) { return parts_[hash % kParts]; }
    static Entry*& ChainOf(Part& part, uint64_t hash);
    Entry* Find(Bytes key, uint64_t hash) const;
    void Insert(Entry* entry);
    static void Grow(Part& part);
    // Takes an entry out of everything; it belongs to the caller then.
    void Detach(Entry* entry);
    void MakeRoom(size_t cost);

    void Use(Entry* entry);
    void LinkNewest(Entry* entry);
    void UnlinkUse(Entry* entry);

    void PushEnd(Entry* entry, int64_t at);
    void MoveEnd(Entry* entry, int64_t at);  // 0: none
    void RemoveEnd(Entry* entry);
    void MoveUp(size_t i);
    void MoveDown(size_t i);
    void PlaceEnd(size_t i, End end);

    const uint64_t most_;
    const SipKey secret_;
    std::array<Part, kParts> parts_;
    std::vector<End> ends_;    // a heap, the next one first
    Entry* newest_ = nullptr;  // in order of use; only with a bound
    Entry* oldest_ = nullptr;
    std::vector<Chains> aside_;  // of Clear
    Entry* dropped_ = nullptr;   // for want of room
    size_t size_ = 0;
    uint64_t bytes_ = 0;
    uint64_t evictions_ = 0;
    uint64_t expired_ = 0;
};

}  // namespace rr::kv
