#include "plugins/kv/memory/memory_table.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "core/base/check.hpp"

namespace rr::kv {

// One block of memory: this head, then key, value and the text of the end.
struct MemoryTable::Entry {
    static constexpr uint32_t kNoEnd = UINT32_MAX;

    Entry* newer = nullptr;  // in order of use
    Entry* older = nullptr;
    // What Find reads stands beside the key.
    Entry* next = nullptr;  // in its chain; of those that were dropped
    uint64_t hash = 0;
    uint32_t end = kNoEnd;  // its place in ends_
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    uint8_t timeout_size = 0;

    char* memory() { return reinterpret_cast<char*>(this + 1); }
    const char* memory() const { return reinterpret_cast<const char*>(this + 1); }
    Bytes key() const { return {memory(), key_size}; }
    Bytes value() const { return {memory() + key_size, value_size}; }
    std::string_view timeout() const { return {memory() + key_size + value_size, timeout_size}; }
    size_t cost() const { return Cost(key_size, value_size, timeout_size); }
};

MemoryTable::MemoryTable(uint64_t most) : most_(most), secret_(SipKey::Random()) {}

MemoryTable::~MemoryTable() {
    Clear();
    while (Tidy(INT64_MIN, SIZE_MAX)) {
    }
}

// What malloc adds, the place in a chain, and that among the ends.
size_t MemoryTable::Cost(size_t key, size_t value, size_t timeout) {
    const size_t block = (sizeof(Entry) + key + value + timeout + 8 + 15) / 16 * 16;
    return block + sizeof(Entry*) + (timeout > 0 ? sizeof(End) : 0);
}

MemoryTable::Entry* MemoryTable::Make(Bytes key, Bytes value, std::string_view timeout,
                                      uint64_t hash) {
    RR_ASSERT(timeout.size() <= UINT8_MAX && key.size() <= UINT32_MAX &&
              value.size() <= UINT32_MAX);
    void* memory = ::operator new(sizeof(Entry) + key.size() + value.size() + timeout.size());
    auto* entry = new (memory) Entry;
    entry->hash = hash;
    entry->key_size = static_cast<uint32_t>(key.size());
    entry->value_size = static_cast<uint32_t>(value.size());
    entry->timeout_size = static_cast<uint8_t>(timeout.size());
    char* at = entry->memory();
    for (Bytes part : {key, value, Bytes(timeout)}) {
        if (!part.empty()) {
            std::memcpy(at, part.data(), part.size());
            at += part.size();
        }
    }
    return entry;
}

// In its own block. REQUIRES: the sizes that it has.
void MemoryTable::Overwrite(Entry* entry, Bytes value, std::string_view timeout) {
    char* at = entry->memory() + entry->key_size;
    std::copy(value.begin(), value.end(), at);
    std::copy(timeout.begin(), timeout.end(), at + value.size());
}

void MemoryTable::Free(Entry* entry) {
    entry->~Entry();
    ::operator delete(entry);
}

// glibc keeps small blocks that are freed, and joins all of them to larger ones when a large one is
// asked for or freed: 200 ms after a million. So ask now and then, while they are few.
void MemoryTable::ReleaseSmall() { ::operator delete(::operator new(kLarge)); }

bool MemoryTable::Fits(Bytes key, Bytes value, std::string_view timeout) const {
    return most_ == 0 || Cost(key.size(), value.size(), timeout.size()) <= most_;
}

// ---- calls -------------------------------------------------------------------------------------

void MemoryTable::Set(Bytes key, Bytes value, std::string_view timeout, int64_t expires,
                      int64_t now) {
    const uint64_t hash = HashOf(key);
    if (Entry* old = Find(key, hash)) {
        if (old->value_size == value.size() && old->timeout_size == timeout.size() &&
            (expires == 0 || expires > now)) {
            Overwrite(old, value, timeout);
            Use(old);
            MoveEnd(old, expires);
            return;
        }
        Detach(old);
        Free(old);
    }
    if (expires != 0 && expires <= now) {
        return;
    }
    MakeRoom(Cost(key.size(), value.size(), timeout.size()));
    Entry* entry = Make(key, value, timeout, hash);
    Insert(entry);
    if (expires != 0) {
        PushEnd(entry, expires);
    }
}

std::optional<MemoryTable::View> MemoryTable::Get(Bytes key, int64_t now) {
    Entry* entry = Find(key, HashOf(key));
    if (entry == nullptr) {
        return std::nullopt;
    }
    const int64_t expires = entry->end == Entry::kNoEnd ? 0 : ends_[entry->end].at;
    if (expires != 0 && expires <= now) {
        return std::nullopt;
    }
    Use(entry);
    return View{entry->value(), entry->timeout(), expires};
}

bool MemoryTable::Has(Bytes key, int64_t now) const {
    const Entry* entry = Find(key, HashOf(key));
    return entry != nullptr && (entry->end == Entry::kNoEnd || ends_[entry->end].at > now);
}

bool MemoryTable::SetEnd(Bytes key, std::string_view timeout, int64_t expires, int64_t now) {
    const uint64_t hash = HashOf(key);
    Entry* entry = Find(key, hash);
    if (entry == nullptr || (entry->end != Entry::kNoEnd && ends_[entry->end].at <= now)) {
        return false;
    }
    if (expires != 0 && expires <= now) {
        Detach(entry);
        Free(entry);
        return true;
    }
    if (entry->timeout_size != timeout.size()) {
        // The text lies in the entry's own block: a longer one needs another.
        Entry* changed = Make(key, entry->value(), timeout, hash);
        Detach(entry);
        Free(entry);
        MakeRoom(changed->cost());
        Insert(changed);
        entry = changed;
    } else {
        std::copy(timeout.begin(), timeout.end(),
                  entry->memory() + entry->key_size + entry->value_size);
        Use(entry);
    }
    MoveEnd(entry, expires);
    return true;
}

void MemoryTable::Delete(Bytes key) {
    if (Entry* entry = Find(key, HashOf(key))) {
        Detach(entry);
        Free(entry);
    }
}

void MemoryTable::Clear() {
    for (Part& part : parts_) {
        if (part.size > 0) {
            aside_.push_back(std::move(part.chains));
        }
        part = Part();
    }
    std::vector<End>().swap(ends_);
    newest_ = oldest_ = nullptr;
    size_ = 0;
    bytes_ = 0;
}

bool MemoryTable::Tidy(int64_t now, size_t budget) {
    size_t left = budget;
    for (; left > 0 && !ends_.empty() && ends_.front().at <= now; --left) {
        Entry* entry = ends_.front().entry;
        Detach(entry);
        Free(entry);
        ++expired_;
    }
    ReleaseSmall();
    left = budget;
    for (; left > 0 && dropped_ != nullptr; --left) {
        Free(std::exchange(dropped_, dropped_->next));
    }
    while (left > 0 && !aside_.empty()) {
        Chains& chains = aside_.back();
        // An empty chain is work too, though less.
        for (; left > 0 && !chains.empty(); --left) {
            if (chains.back() == nullptr) {
                chains.pop_back();
            } else {
                Free(std::exchange(chains.back(), chains.back()->next));
            }
        }
        if (chains.empty()) {
            aside_.pop_back();
        }
    }
    return untidy() || (!ends_.empty() && ends_.front().at <= now);
}

// ---- where entries stand -----------------------------------------------------------------------

MemoryTable::Entry*& MemoryTable::ChainOf(Part& part, uint64_t hash) {
    return part.chains[hash / kParts & (part.chains.size() - 1)];
}

MemoryTable::Entry* MemoryTable::Find(Bytes key, uint64_t hash) const {
    const Part& part = parts_[hash % kParts];
    if (part.size == 0) {
        return nullptr;
    }
    Entry* entry = part.chains[hash / kParts & (part.chains.size() - 1)];
    while (entry != nullptr && (entry->hash != hash || entry->key() != key)) {
        entry = entry->next;
    }
    return entry;
}

void MemoryTable::Grow(Part& part) {
    Chains old = std::move(part.chains);
    part.chains.assign(std::max<size_t>(4, old.size() * 2), nullptr);
    for (Entry* entry : old) {
        while (entry != nullptr) {
            Entry* next = entry->next;
            Entry*& chain = ChainOf(part, entry->hash);
            entry->next = std::exchange(chain, entry);
            entry = next;
        }
    }
}

void MemoryTable::Insert(Entry* entry) {
    Part& part = PartOf(entry->hash);
    if (part.size == part.chains.size()) {
        Grow(part);
    }
    Entry*& chain = ChainOf(part, entry->hash);
    entry->next = std::exchange(chain, entry);
    ++part.size;
    ++size_;
    bytes_ += entry->cost();
    if (most_ > 0) {
        LinkNewest(entry);
    }
}

void MemoryTable::Detach(Entry* entry) {
    Part& part = PartOf(entry->hash);
    Entry** at = &ChainOf(part, entry->hash);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    --part.size;
    --size_;
    bytes_ -= entry->cost();
    RemoveEnd(entry);
    if (most_ > 0) {
        UnlinkUse(entry);
    }
}

// What is dropped is released by Tidy: one large value may take the room of very many small ones.
void MemoryTable::MakeRoom(size_t cost) {
    while (most_ > 0 && bytes_ + cost > most_ && oldest_ != nullptr) {
        Entry* entry = oldest_;
        Detach(entry);
        entry->next = std::exchange(dropped_, entry);
        ++evictions_;
    }
}

// ---- order of use ------------------------------------------------------------------------------

void MemoryTable::Use(Entry* entry) {
    if (most_ > 0 && newest_ != entry) {
        UnlinkUse(entry);
        LinkNewest(entry);
    }
}

void MemoryTable::LinkNewest(Entry* entry) {
    entry->newer = nullptr;
    entry->older = newest_;
    (newest_ != nullptr ? newest_->newer : oldest_) = entry;
    newest_ = entry;
}

void MemoryTable::UnlinkUse(Entry* entry) {
    (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
    (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
}

// ---- ends --------------------------------------------------------------------------------------

void MemoryTable::PlaceEnd(size_t i, End end) {
    ends_[i] = end;
    end.entry->end = static_cast<uint32_t>(i);
}

void MemoryTable::PushEnd(Entry* entry, int64_t at) {
    ends_.push_back({at, entry});
    PlaceEnd(ends_.size() - 1, ends_.back());
    MoveUp(ends_.size() - 1);
}

void MemoryTable::MoveEnd(Entry* entry, int64_t at) {
    if (entry->end == Entry::kNoEnd || at == 0) {
        RemoveEnd(entry);
        if (at != 0) {
            PushEnd(entry, at);
        }
        return;
    }
    End& end = ends_[entry->end];
    const bool sooner = at < end.at;
    end.at = at;
    sooner ? MoveUp(entry->end) : MoveDown(entry->end);
}

void MemoryTable::RemoveEnd(Entry* entry) {
    if (entry->end == Entry::kNoEnd) {
        return;
    }
    const size_t hole = std::exchange(entry->end, Entry::kNoEnd);
    const End last = ends_.back();
    ends_.pop_back();
    if (hole < ends_.size()) {
        PlaceEnd(hole, last);
        MoveUp(hole);
        MoveDown(last.entry->end);
    }
}

void MemoryTable::MoveUp(size_t i) {
    const End end = ends_[i];
    while (i > 0 && end.at < ends_[(i - 1) / kWays].at) {
        PlaceEnd(i, ends_[(i - 1) / kWays]);
        i = (i - 1) / kWays;
    }
    PlaceEnd(i, end);
}

void MemoryTable::MoveDown(size_t i) {
    const End end = ends_[i];
    while (i * kWays + 1 < ends_.size()) {
        const auto first = ends_.begin() + static_cast<ptrdiff_t>(i * kWays + 1);
        const auto past =
            ends_.begin() + static_cast<ptrdiff_t>(std::min(i * kWays + 1 + kWays, ends_.size()));
        const auto least =
            std::min_element(first, past, [](const End& a, const End& b) { return a.at < b.at; });
        if (end.at <= least->at) {
            break;
        }
        PlaceEnd(i, *least);
        i = static_cast<size_t>(least - ends_.begin());
    }
    PlaceEnd(i, end);
}

}  // namespace rr::kv
