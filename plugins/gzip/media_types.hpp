// Which bodies are worth compressing, by their Content-Type.
//
// Thread: values only. Fails: never.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rr::gzip {

// True for all but what is compressed already: pictures, sound, films, archives, fonts.
bool IsCompressible(std::string_view content_type);

// True if one of `types` (lower case) is it, begins it (`text/*`), or is `*`.
bool IsAmong(std::string_view content_type, std::span<const std::string> types);

}  // namespace rr::gzip
