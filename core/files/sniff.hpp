// Content-Type of a body by its first bytes: the WHATWG table as Go's http.DetectContentType has it.
//
// Thread: values only. Never fails: `application/octet-stream` if nothing matches.
#pragma once

#include "core/base/bytes.hpp"

namespace rr::files {

inline constexpr size_t kSniffBytes = 512;  // more are not looked at

// A constant.
Bytes DetectContentType(Bytes data);

}  // namespace rr::files
