// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/bytes.hpp"

namespace rr::files {

inline constexpr size_t kHttpDateSize = 29;

// Writes kHttpDateSize characters. Years from 0 to 9999; others are cut to these.
void WriteHttpDate(int64_t unix_seconds, char* out);

// Any of the three forms that RFC 9110 has; nothing if it is none of them. The name of the day is
// not compared with the date.
std::optional<int64_t> ParseHttpDate(Bytes text);

}  // namespace rr::files
