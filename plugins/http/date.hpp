// HttpDate: the value of `Date:`, formatted once a second.
//
// Thread: one per loop.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::http {

class HttpDate {
public:
    static constexpr size_t kSize = 29;  // Sun, 06 Nov 1994 08:49:37 GMT

    // Valid until the next call with another second.
    Bytes At(int64_t unix_seconds);

private:
    int64_t second_ = INT64_MIN;
    char text_[kSize] = {};
};

}  // namespace rr::http
