// The content type of a body by its first bytes: core/files has it, for files need it too.
#pragma once

#include "core/files/sniff.hpp"

namespace rr::http {

using files::DetectContentType;
using files::kSniffBytes;

}  // namespace rr::http
