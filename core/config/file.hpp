// ReadFile: a whole small file.
//
// Thread: any; blocks. For start-up only.
// Fails:  kNotFound, kIo: `open x.yaml: no such file or directory`.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace rr::config {

Result<std::string> ReadFile(const std::string& path);

// True if the extension says YAML or JSON; the error names the extension.
Result<void> CheckFormat(const std::string& path);

}  // namespace rr::config
