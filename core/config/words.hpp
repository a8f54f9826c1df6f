// SplitWords: a command line as words, the way a shell splits it.
//
//   'as it is'   "with \" and \\"   blanks separate   \ before a blank, a quote or a backslash
//
// Nothing is expanded, and a backslash before anything else stays: `--class=App\Worker` means what
// it says, as in RoadRunner.
//
// Thread: pure.
// Fails:  kInvalid, a quote without its end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace rr::config {

Result<std::vector<std::string>> SplitWords(std::string_view text);

}  // namespace rr::config
