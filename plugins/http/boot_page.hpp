// BootPage: what a browser shows while the workers do not start: why, their command, what they
// wrote. It loads itself anew until they do.
//
// Thread: pure.
#pragma once

#include <string>

#include "core/base/bytes.hpp"

namespace rr::http {

// text: the pool's, its first line is the reason. Everything in it is escaped.
std::string BootPage(Bytes text);

// Does this value of Accept ask for a page?
bool AcceptsHtml(Bytes accept);

}  // namespace rr::http
