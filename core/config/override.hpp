// Overrides: `-o key=value`, each a text laid over one key of the tree.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/config/node.hpp"

namespace rr::config {

struct Override {
    std::string key;  // lower case, dotted
    std::string value;
};

// Blanks and quotes before the key go; a quoted value loses its quotes. Fails with RoadRunner's
// texts.
Result<Override> ParseOverride(std::string_view argument);

// The text at `key` becomes the override's; false: the key has too many parts.
bool Apply(const Override& override, const std::shared_ptr<const Source>& source, Node& root);

}  // namespace rr::config
