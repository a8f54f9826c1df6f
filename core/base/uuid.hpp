// Uuid: a random one (version 4), for names that nobody can guess.
//
// Thread: values; Random() on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace rr {

struct Uuid {
    static constexpr size_t kTextSize = 36;
    std::array<uint8_t, 16> bytes{};

    static Uuid Random();
    // `50a6c1ce-1e83-48c9-9d3e-6f942895400e` in either case; false: it is none.
    static bool Parse(std::string_view text, Uuid& out);

    // Writes kTextSize characters, lower case.
    void Write(char* out) const;
    std::string ToString() const;

    bool operator==(const Uuid&) const = default;
    // Good enough as it is: all of it is random.
    size_t Hash() const {
        size_t hash;
        std::memcpy(&hash, bytes.data(), sizeof(hash));
        return hash;
    }
};

}  // namespace rr

template <>
struct std::hash<rr::Uuid> {
    size_t operator()(const rr::Uuid& uuid) const noexcept { return uuid.Hash(); }
};
