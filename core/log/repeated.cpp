#include "core/log/repeated.hpp"

#include <chrono>

namespace rr::log {

void Repeated::Report(Instant now, Logger::Fields fields) {
    if (last_ != Instant::min() && now - last_ < std::chrono::seconds(1)) {
        ++held_;
        return;
    }
    Write(now, fields.begin(), fields.size());
}

void Repeated::Settle(Instant now) {
    if (held_ > 0 && now - last_ >= std::chrono::seconds(1)) {
        Write(now, nullptr, 0);
    }
}

Repeated::~Repeated() {
    if (held_ > 0) {
        Write(last_, nullptr, 0);
    }
}

void Repeated::Write(Instant now, const Field* fields, size_t count) {
    last_ = now;
    const uint64_t held = std::exchange(held_, 0);
    if (held == 0) {
        log_.Write(level_, message_, fields, count);
        return;
    }
    std::vector<Field> all(fields, fields + count);
    all.emplace_back("repeated", held);
    log_.Write(level_, message_, all.data(), all.size());
}

}  // namespace rr::log
