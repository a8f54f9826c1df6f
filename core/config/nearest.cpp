#include "core/config/nearest.hpp"

#include <algorithm>
#include <cstddef>

namespace rr::config {
namespace {

constexpr size_t kLongest = 128;  // longer names are not typing errors of ours

size_t Distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before(b.size() + 1);
    std::vector<size_t> row(b.size() + 1);
    std::vector<size_t> next(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t replaced = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            next[j] = std::min({replaced, row[j] + 1, next[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                next[j] = std::min(next[j], before[j - 2] + 1);
            }
        }
        before.swap(row);
        row.swap(next);
    }
    return row[b.size()];
}

}  // namespace

std::string_view Nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
    std::string_view best;
    if (name.size() > kLongest) {
        return best;
    }
    size_t limit = name.size() < 5 ? 1 : std::max<size_t>(2, name.size() / 3);
    for (const std::string_view candidate : candidates) {
        const size_t longer = std::max(candidate.size(), name.size());
        const size_t shorter = std::min(candidate.size(), name.size());
        if (candidate.size() > kLongest || longer - shorter > limit) {
            continue;
        }
        const size_t distance = Distance(name, candidate);
        if (distance < longer && (distance < limit || (distance == limit && best.empty()))) {
            best = candidate;
            limit = distance;
        }
    }
    return best;
}

}  // namespace rr::config
