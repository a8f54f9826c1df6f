#include "plugins/http/canonical.hpp"

#include <array>
#include <cstring>

namespace rr::http {
namespace {

// 0: no token byte; else the byte in lower case.
constexpr std::array<unsigned char, 256> MakeTokenTable() {
    std::array<unsigned char, 256> table{};
    for (int c = '0'; c <= '9'; ++c) {
        table[static_cast<size_t>(c)] = static_cast<unsigned char>(c);
    }
    for (int c = 'a'; c <= 'z'; ++c) {
        table[static_cast<size_t>(c)] = static_cast<unsigned char>(c);
        table[static_cast<size_t>(c - 0x20)] = static_cast<unsigned char>(c);
    }
    for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
        table[static_cast<unsigned char>(c)] = static_cast<unsigned char>(c);
    }
    return table;
}
constexpr auto kToken = MakeTokenTable();

constexpr std::array<Bytes, static_cast<size_t>(HeaderId::kCount)> kNames = {
    "",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Host",
    "Http2-Push",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "Referer",
    "Server",
    "Set-Cookie",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
};

constexpr uint32_t kHashStart = 2166136261U;  // FNV-1a over lower-case bytes
constexpr uint32_t kHashPrime = 16777619U;

constexpr uint32_t HashOf(Bytes name) {
    uint32_t hash = kHashStart;
    for (char c : name) {
        unsigned char byte = static_cast<unsigned char>(c);
        unsigned char lower = kToken[byte] != 0 ? kToken[byte] : byte;
        hash = (hash ^ lower) * kHashPrime;
    }
    return hash;
}

// Known names by hash, open addressing; sparse, so that most misses end at once.
constexpr size_t kSlots = 128;
constexpr size_t SlotOf(uint32_t hash) { return (hash ^ (hash >> 15)) % kSlots; }
constexpr std::array<uint8_t, kSlots> MakeSlots() {
    std::array<uint8_t, kSlots> slots{};
    for (size_t i = 1; i < kNames.size(); ++i) {
        size_t slot = SlotOf(HashOf(kNames[i]));
        while (slots[slot] != 0) {
            slot = (slot + 1) % kSlots;
        }
        slots[slot] = static_cast<uint8_t>(i);
    }
    return slots;
}
constexpr auto kSlotTable = MakeSlots();

}  // namespace

bool IsTokenByte(char c) { return kToken[static_cast<unsigned char>(c)] != 0; }

bool IsToken(Bytes text) {
    for (char c : text) {
        if (kToken[static_cast<unsigned char>(c)] == 0) {
            return false;
        }
    }
    return !text.empty();
}

Bytes TrimBlanks(Bytes text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool HasListToken(Bytes list, Bytes token) {
    while (true) {
        size_t comma = list.find(',');
        if (EqualsIgnoreCase(TrimBlanks(list.substr(0, comma)), token)) {
            return true;
        }
        if (comma == Bytes::npos) {
            return false;
        }
        list.remove_prefix(comma + 1);
    }
}

HeaderId IdentifyHashed(Bytes name, uint32_t hash) {
    size_t slot = SlotOf(hash);
    while (kSlotTable[slot] != 0) {
        if (EqualsIgnoreCase(name, kNames[kSlotTable[slot]])) {
            return static_cast<HeaderId>(kSlotTable[slot]);
        }
        slot = (slot + 1) % kSlots;
    }
    return HeaderId::kOther;
}

HeaderId IdentifyHeader(Bytes name) { return IdentifyHashed(name, HashOf(name)); }

Bytes CanonicalName(HeaderId id) { return kNames[static_cast<size_t>(id)]; }

uint32_t NameHash(Bytes name) { return HashOf(name); }

size_t TokenPrefix(Bytes text, uint32_t& hash) {
    uint32_t h = kHashStart;
    size_t i = 0;
    for (; i < text.size(); ++i) {
        unsigned char lower = kToken[static_cast<unsigned char>(text[i])];
        if (lower == 0) {
            break;
        }
        h = (h ^ lower) * kHashPrime;
    }
    hash = h;
    return i;
}

void Canonicalise(Bytes name, char* out) {
    bool start = true;
    for (size_t i = 0; i < name.size(); ++i) {
        const unsigned char lower = kToken[static_cast<unsigned char>(name[i])];
        if (lower == 0) {
            std::memcpy(out, name.data(), name.size());
            return;
        }
        const bool letter = lower >= 'a' && lower <= 'z';
        out[i] = static_cast<char>(lower - (start && letter ? 'a' - 'A' : 0));
        start = lower == '-';
    }
}

}  // namespace rr::http
