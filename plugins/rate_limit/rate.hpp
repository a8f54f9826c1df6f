// Rate: a token bucket in whole numbers: `tokens` of them come back in each `per`, at most `burst` are
// there.
//
// A bucket keeps its debt, what is missing in it, in units of which `token` make a token and `refill`
// come back in a nanosecond: no rounding, however odd the rate.
//
// Thread: pure values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

#include "core/base/time.hpp"

namespace rr::rate_limit {

struct Rate {
    static constexpr int64_t kMostUnits = int64_t{1} << 61;  // of a bucket: sums stay in 63 bits

    int64_t token = 1;
    int64_t refill = 1;
    int64_t burst = 1;  // tokens

    // Nothing if a bucket would not fit.
    static std::optional<Rate> Of(int64_t tokens, Duration per, int64_t burst) {
        const int64_t divisor = std::gcd(tokens, per.count());
        Rate rate{per.count() / divisor, tokens / divisor, burst};
        if (rate.token > kMostUnits / burst || rate.refill > kMostUnits) {
            return std::nullopt;
        }
        return rate;
    }

    int64_t capacity() const { return token * burst; }  // units

    // What is left of a debt after `ns`.
    int64_t DebtAfter(int64_t debt, int64_t ns) const {
        // The product below is at most debt + refill.
        if (ns <= 0) {
            return debt;
        }
        return ns > debt / refill ? 0 : debt - ns * refill;
    }
    int64_t TokensLeft(int64_t debt) const { return (capacity() - debt) / token; }
    // Nanoseconds until `debt` is at most `limit`.
    int64_t Until(int64_t debt, int64_t limit) const {
        const int64_t units = std::max<int64_t>(debt - limit, 0);
        return units / refill + (units % refill != 0 ? 1 : 0);
    }
};

}  // namespace rr::rate_limit
