// The requests that rpc_load sends, as ready frames: only the number of a call is put in later.
//
// Built here once more, not with relay/: a yardstick must not share the code it measures.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr size_t kHead = 20;  // of a frame with two options
inline constexpr size_t kNumberAt = 12;
inline constexpr uint32_t kKeys = 10'000;

inline void Number32(std::string& out, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
}

inline uint32_t Crc32(std::string_view bytes) {
    uint32_t crc = 0xffffffff;
    for (char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

// 15 flags | u32 payload | u32 CRC of these | 0 0 | u32 number | u32 method length | method | body
inline std::string Frame(char flags, std::string_view method, std::string_view body) {
    std::string frame{0x15, flags};
    Number32(frame, static_cast<uint32_t>(method.size() + body.size()));
    Number32(frame, Crc32(frame));
    frame.append(2, 0);
    Number32(frame, 0);
    Number32(frame, static_cast<uint32_t>(method.size()));
    return frame.append(method).append(body);
}

// A field of protobuf with fewer than 16,384 bytes.
inline void Field(std::string& out, int number, std::string_view value) {
    out.push_back(static_cast<char>(number << 3 | 2));
    if (value.size() >= 0x80) {
        out.push_back(static_cast<char>((value.size() & 0x7f) | 0x80));
        out.push_back(static_cast<char>(value.size() >> 7));
    } else {
        out.push_back(static_cast<char>(value.size()));
    }
    out.append(value);
}

// Keys and values of 16 bytes as redis-benchmark has them with -d 16, no two calls in a row near each
// other. Empty: such a method is not known here.
inline std::vector<std::string> CallsOf(std::string_view method, std::string_view storage,
                                        size_t items) {
    if (method == "rpc.Version") {
        return {Frame(0x08, method, "true")};  // JSON, as PHP's client sends it
    }
    std::vector<std::string> calls;
    if (method != "kv.Set" && method != "kv.MGet") {
        return calls;
    }
    uint32_t at = 0;
    for (size_t sent = 0; sent < kKeys; sent += items) {
        std::string body;
        Field(body, 1, storage);
        for (size_t i = 0; i < items; ++i) {
            char key[17];
            std::snprintf(key, sizeof(key), "key:%012u", at);
            at = (at + 7919) % kKeys;  // a prime: every key once
            std::string item;
            Field(item, 1, key);
            if (method == "kv.Set") {
                Field(item, 2, "a value of 16 by");
            }
            Field(body, 2, item);
        }
        calls.push_back(Frame(static_cast<char>(0x80), method, body));
    }
    return calls;
}

}  // namespace bench
