#include "core/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace rr {

void CheckFailed(const char* file, int line, const char* text) noexcept {
    std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
    std::abort();
}

}  // namespace rr
