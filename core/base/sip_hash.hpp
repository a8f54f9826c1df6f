// SipHash-1-3: a hash whose collisions nobody can prepare who does not know its key. What is looked up
// by it often comes from outside: names, addresses, search terms.
//
// Thread: pure, on any.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.hpp"

namespace rr {

struct SipKey {
    uint64_t first = 0;
    uint64_t second = 0;

    static SipKey Random();
};

inline uint64_t SipHash(const SipKey& key, Bytes bytes) {
    uint64_t v0 = key.first ^ 0x736f6d6570736575;
    uint64_t v1 = key.second ^ 0x646f72616e646f6d;
    uint64_t v2 = key.first ^ 0x6c7967656e657261;
    uint64_t v3 = key.second ^ 0x7465646279746573;
    const auto round = [&] {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    };
    const auto mix = [&](uint64_t word) {
        v3 ^= word;
        round();
        v0 ^= word;
    };
    const char* at = bytes.data();
    size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = 0;
        std::memcpy(&word, at, 8);
        mix(word);
    }
    uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
    for (size_t i = 0; i < left; ++i) {
        last |= static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    mix(last);
    v2 ^= 0xff;
    round();
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace rr
