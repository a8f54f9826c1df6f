#include "plugins/reload/bursts.hpp"

#include <algorithm>
#include <utility>

namespace rr::reload {

void Bursts::Touch(size_t service, std::string_view path, Instant now) {
    last_ = now;
    auto found = std::find_if(touched_.begin(), touched_.end(),
                              [service](const Touched& t) { return t.service == service; });
    if (found == touched_.end()) {
        touched_.push_back({service, 0, std::string(path)});
        found = touched_.end() - 1;
    }
    ++found->changes;
}

std::vector<Bursts::Touched> Bursts::Take() { return std::exchange(touched_, {}); }

}  // namespace rr::reload
