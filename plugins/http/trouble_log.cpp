#include "plugins/http/trouble_log.hpp"

#include <functional>

namespace rr::http {

void TroubleLog::Report(int64_t now_ms, Bytes message, Bytes reason, int64_t start_unix_ns,
                        int64_t elapsed_ns) {
    if (!log_.Enabled(log::Level::kError)) {
        return;
    }
    size_t hash = std::hash<Bytes>()(reason) * 31 + std::hash<Bytes>()(message);
    Slot& slot = slots_[hash % slots_.size()];
    if (slot.hash == hash && now_ms - slot.since_ms < kQuiet) {
        ++slot.left_out;
        return;
    }
    Flush(slot);
    slot.hash = hash;
    slot.since_ms = now_ms;
    slot.message = message;
    slot.reason = reason;
    log_.Error(message,
               {{"start", start_unix_ns}, {"elapsed", elapsed_ns / 1'000'000}, {"error", reason}});
}

void TroubleLog::Tick(int64_t now_ms) {
    for (Slot& slot : slots_) {
        if (now_ms - slot.since_ms >= kQuiet) {
            Flush(slot);
        }
    }
}

void TroubleLog::Flush(Slot& slot) {
    if (slot.left_out > 0) {
        log_.Error(slot.message, {{"error", slot.reason}, {"repeated", slot.left_out}});
        slot.left_out = 0;
    }
}

}  // namespace rr::http
