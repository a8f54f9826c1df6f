#include "core/base/bytes.hpp"

#include <algorithm>

namespace rr {

void Buffer::Grow(size_t n) {
    size_t used = size();
    if (capacity_ - used >= n && begin_ >= capacity_ / 2) {
        // Half of it was consumed: moving down is cheaper than asking for more.
        std::memmove(memory_.get(), memory_.get() + begin_, used);
        begin_ = 0;
        end_ = used;
        return;
    }
    size_t wanted = std::max({used + n, capacity_ + capacity_ / 2, size_t{256}});
    std::unique_ptr<char[]> fresh(new char[wanted]);  // uninitialised on purpose
    if (used > 0) {
        std::memcpy(fresh.get(), memory_.get() + begin_, used);
    }
    memory_ = std::move(fresh);
    capacity_ = wanted;
    begin_ = 0;
    end_ = used;
}

}  // namespace rr
