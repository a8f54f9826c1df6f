// A point in time as `2026-11-21T01:52:33`, in UTC.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/log/line.hpp"

namespace rr::log {

// 19 characters; separator: between hours, minutes and seconds.
inline void AppendUtc(Line& line, int64_t unix_seconds, char separator) {
    const std::chrono::sys_seconds instant{std::chrono::seconds(unix_seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(instant - day);
    line.AppendPadded(static_cast<unsigned>(static_cast<int>(date.year())), 4);
    line.Append('-');
    line.AppendPadded(static_cast<unsigned>(date.month()), 2);
    line.Append('-');
    line.AppendPadded(static_cast<unsigned>(date.day()), 2);
    line.Append('T');
    line.AppendPadded(static_cast<unsigned>(clock.hours().count()), 2);
    line.Append(separator);
    line.AppendPadded(static_cast<unsigned>(clock.minutes().count()), 2);
    line.Append(separator);
    line.AppendPadded(static_cast<unsigned>(clock.seconds().count()), 2);
}

}  // namespace rr::log
