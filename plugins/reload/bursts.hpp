// Bursts: one timer for the changes of all services. Each change starts it anew; when nothing has
// changed for the quiet time, every service that was touched is due, once.
//
// Thread: a plain value without a clock.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace rr::reload {

class Bursts {
public:
    struct Touched {
        size_t service;
        size_t changes = 0;
        std::string first;  // what changed; empty: not known
    };

    explicit Bursts(Duration quiet) : quiet_(quiet) {}

    void Touch(size_t service, std::string_view path, Instant now);
    bool empty() const { return touched_.empty(); }
    // Until the burst is over; not positive: it is.
    Duration Left(Instant now) const { return last_ + quiet_ - now; }
    // What is due, in the order it was touched; the next change begins a new burst.
    std::vector<Touched> Take();

private:
    const Duration quiet_;
    Instant last_;
    std::vector<Touched> touched_;
};

}  // namespace rr::reload
