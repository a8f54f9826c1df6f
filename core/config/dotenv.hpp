// Dotenv: files of `NAME=value` lines.
//
//   # comment      export NAME=v      NAME: v      blanks around = are dropped
//   "..."          \n, \r and escapes; $NAME and ${NAME} of this file are replaced
//   '...'          literal
//   bare           replaced as in "...", cut at ` #`
//
// Thread: ParseDotenv is pure; ApplyDotenv writes the process's environment: main, before any
//         other thread runs.
// Fails:  kInvalid with the texts of RoadRunner; kIo or kNotFound: `open x: no such file or ...`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace rr::config {

// In file order; of a name given twice the last value.
Result<std::vector<std::pair<std::string, std::string>>> ParseDotenv(Bytes text);

// Variables that are set already stay as they are unless `overwrite`.
Result<void> ApplyDotenv(const std::string& path, bool overwrite = false);

}  // namespace rr::config
