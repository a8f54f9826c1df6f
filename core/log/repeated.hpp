// Repeated: one kind of trouble that may come thousands of times a second. The first occurrence is
// logged at once, later ones are counted and logged once a second as one record with `repeated`.
//
//   Repeated accept_errors(log, Level::kError, "cannot accept");
//   accept_errors.Report(loop.Now(), {{"error", text}});
//   accept_errors.Settle(loop.Now());  // from a timer, if the owner has one
//
// Thread: its owner's. What is still counted when it dies is logged then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/log/logger.hpp"

namespace rr::log {

class Repeated {
public:
    // message must outlive this.
    Repeated(Logger log, Level level, std::string_view message)
        : log_(log), level_(level), message_(message) {}
    ~Repeated();
    Repeated(const Repeated&) = delete;
    Repeated& operator=(const Repeated&) = delete;

    void Report(Instant now, Logger::Fields fields = {});

    // Logs what was counted, if the last record is a second old.
    void Settle(Instant now);

private:
    void Write(Instant now, const Field* fields, size_t count);

    Logger log_;
    Level level_;
    std::string_view message_;
    Instant last_ = Instant::min();
    uint64_t held_ = 0;  // occurrences since the last record
};

}  // namespace rr::log
