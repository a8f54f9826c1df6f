// Nearest: the known name that a mistyped one probably means.
//
// Thread: pure.
#pragma once

#include <string_view>
#include <vector>

namespace rr::config {

// Empty if no candidate is near: one edit is allowed below five letters, then two, then one for
// every three letters. An edit is an insertion, a deletion, a replacement, or two letters swapped.
// Of equally near ones the first.
std::string_view Nearest(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace rr::config
