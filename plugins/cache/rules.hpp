// What HTTP says about keeping an answer, and about answering with what was kept.
//
// Thread: values only. Fails: never; what is malformed is no permission.
#pragma once

#include <cstdint>
#include <string_view>

namespace rr::cache {

// The longest that anything is kept.
inline constexpr int64_t kMostSeconds = 365 * 24 * 3600;

// `60`, a number of seconds; more than kMostSeconds: that. -1: no number.
int64_t ParseSeconds(std::string_view text);

// The s-maxage of a Cache-Control line. -1: it has none. 0: it forbids a shared cache to keep it.
int64_t SharedMaxAge(std::string_view cache_control);

// True if a request of this method changes nothing: what is kept stays right.
bool IsSafe(std::string_view method);

// True if an answer of this status may be kept: a complete one, that is true of the resource.
bool IsKept(int status);

// True if the If-None-Match line has `etag` or a star; tags match weakly.
bool MatchesTag(std::string_view if_none_match, std::string_view etag);

// True for a header that belongs to one transmission or one client, or that is made anew for each
// answer.
bool IsPassing(std::string_view name);

// True for a header that a 304 leaves out.
bool DescribesBody(std::string_view name);

}  // namespace rr::cache
