// Identities of traces and spans, and where new ones come from.
//
// Thread: values; an IdSource one thread's.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "core/base/uuid.hpp"

namespace rr::otel {

// All zeros: none.
struct TraceId {
    std::array<uint8_t, 16> bytes{};

    bool valid() const { return *this != TraceId{}; }
    bool operator==(const TraceId&) const = default;
};

struct SpanId {
    std::array<uint8_t, 8> bytes{};

    bool valid() const { return *this != SpanId{}; }
    bool operator==(const SpanId&) const = default;
};

// IdSource: xoshiro256**, seeded by the system: unique, not secret.
class IdSource {
public:
    IdSource() {
        static_assert(sizeof(state_) == 2 * sizeof(Uuid::bytes));
        for (size_t half = 0; half < 2; ++half) {
            const Uuid uuid = Uuid::Random();
            std::memcpy(&state_[half * 2], uuid.bytes.data(), uuid.bytes.size());
        }
    }

    TraceId NewTrace() { return New<TraceId>(); }
    SpanId NewSpan() { return New<SpanId>(); }

private:
    template <class Id>
    Id New() {
        Id id;
        do {
            for (size_t at = 0; at < id.bytes.size(); at += sizeof(uint64_t)) {
                const uint64_t number = Next();
                std::memcpy(&id.bytes[at], &number, sizeof(number));
            }
        } while (!id.valid());
        return id;
    }

    uint64_t Next() {
        const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
        const uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = Rotate(state_[3], 45);
        return result;
    }
    static uint64_t Rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

    std::array<uint64_t, 4> state_{};
};

}  // namespace rr::otel
