// RR_ASSERT: a broken invariant, looked for in debug and sanitizer builds.
// RR_CHECK:  the same, always looked for, where going on would corrupt data.
// Never used on input: bad input is a Result.
#pragma once

namespace rr {

// Writes `file:line: check failed: text` to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* text) noexcept;

}  // namespace rr

#define RR_CHECK(condition)                                    \
    do {                                                       \
        if (!(condition)) [[unlikely]] {                       \
            ::rr::CheckFailed(__FILE__, __LINE__, #condition); \
        }                                                      \
    } while (false)

#ifdef NDEBUG
#define RR_ASSERT(condition) \
    do {                     \
    } while (false && (condition))
#else
#define RR_ASSERT(condition) RR_CHECK(condition)
#endif
