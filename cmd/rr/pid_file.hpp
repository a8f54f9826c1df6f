// PidFile: `.pid` in the working directory, through which `rr stop` finds its server.
//
// Thread: main. Owns: the file, from Write to Remove.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace rr::cmd {

inline constexpr const char* kPidFile = ".pid";

// Blanks and line ends around the number are nothing. Fails with RoadRunner's text:
// `strconv.Atoi: parsing "x": invalid syntax`.
Result<int64_t> ParsePid(std::string_view text);

Result<int64_t> ReadPidFile(const std::string& path);
// Decimal digits, nothing else.
Result<void> WritePidFile(const std::string& path, int64_t pid);
// Removes it if it still names `pid`.
void RemovePidFile(const std::string& path, int64_t pid);

}  // namespace rr::cmd
