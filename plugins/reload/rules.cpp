#include "plugins/reload/rules.hpp"

#include <algorithm>

namespace rr::reload {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

bool Rules::EntersFolder(std::string_view path, std::string_view name) const {
    return (hidden || !name.starts_with('.')) && !Contains(names, name) && !Contains(ignore, path);
}

bool Rules::WantsFile(std::string_view path, std::string_view name) const {
    // RoadRunner: without recursion `ignore` is compared with folders only.
    if (recursive && Contains(ignore, path)) {
        return false;
    }
    return std::any_of(patterns.begin(), patterns.end(), [name](const std::string& pattern) {
        return name.find(pattern) != std::string_view::npos;
    });
}

}  // namespace rr::reload
