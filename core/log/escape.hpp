// Escapes: any bytes become text that stays on one line and is valid UTF-8.
//
// Thread: any; pure functions.
#pragma once

#include <string_view>

#include "core/log/line.hpp"

namespace rr::log {

// The inside of a JSON string. Bytes that are no UTF-8 become \ufffd, each one of them.
void AppendJson(Line& line, std::string_view text);

// Text outside of JSON. Control characters (tabs and line ends too) are written as in JSON, all
// else stays as it is; bytes that are no UTF-8 become U+FFFD.
void AppendPlain(Line& line, std::string_view text);

// The same for raw mode, which hands on what an application wrote: only line ends are escaped.
void AppendRaw(Line& line, std::string_view text);

}  // namespace rr::log
