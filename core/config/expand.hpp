// Expand: environment variables inside values.
//
//   $X ${X}      the value, empty if unset        $$, $1, $* ...   (shell variables) empty
//   ${X:-text}   text if X is unset or empty      abc$, a $ b      unchanged
//
// Thread: main (reads the process's environment).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/callback.hpp"
#include "core/config/node.hpp"

namespace rr::config {

// Looks a variable up; empty result: unset.
using Environment = Callback<std::optional<std::string>(std::string_view)>;
Environment ProcessEnvironment();

std::string Expand(std::string_view text, Environment& environment);

// Every scalar of maps and the direct elements of lists; maps inside lists are left alone, as in
// RoadRunner. What was expanded is text (a string) from then on.
void ExpandTree(Node& node, Environment& environment);

// RoadRunner 1.x: only `${NAME}` as the whole value; an unset one stays as it is.
void ExpandWholeValues(Node& node, Environment& environment);

}  // namespace rr::config
