// TroubleLog: error records that may come ten thousand times a second, written at most once a
// second each; the next record says how many were left out.
//
// Thread: its loop. Owns: a handful of slots; kinds that meet in a slot report each other early.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"
#include "core/log/logger.hpp"

namespace rr::http {

class TroubleLog {
public:
    explicit TroubleLog(const log::Logger& log) : log_(log) {}

    // message: constant. reason: what happened.
    void Report(int64_t now_ms, Bytes message, Bytes reason, int64_t start_unix_ns,
                int64_t elapsed_ns);

    // Says how many were left out in seconds that have passed.
    void Tick(int64_t now_ms);

private:
    static constexpr int64_t kQuiet = 1000;  // ms

    struct Slot {
        size_t hash = 0;
        int64_t since_ms = 0;
        uint64_t left_out = 0;
        Bytes message;
        std::string reason;
    };
    void Flush(Slot& slot);

    log::Logger log_;
    std::array<Slot, 16> slots_;
};

}  // namespace rr::http
