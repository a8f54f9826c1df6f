// Timeouts: the end of a key as clients write it: RFC 3339, `2026-11-21T01:48:13+00:00`.
//
// Thread: pure functions.
// Fails:  with the texts of Go's time.Parse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace rr::kv {

// Unix nanoseconds, never 0; what lies beyond 1678 and 2262 becomes the nearest that fits. `Z`,
// offsets and fractions of a second are taken.
Result<int64_t> ParseTimeout(std::string_view text);

// `2026-11-21T01:48:13+00:00`; fractions are cut off.
std::string FormatTimeout(int64_t unix_nanoseconds);

}  // namespace rr::kv
