// Gzip: a text, compressed at once.
#pragma once

#include <string>

#include "core/base/bytes.hpp"

namespace rr::fileserver {

std::string Gzip(Bytes text);

}  // namespace rr::fileserver
