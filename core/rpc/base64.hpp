// Base64 with padding, as JSON carries byte strings. Thread: any.
#pragma once

#include <string>

#include "core/base/bytes.hpp"

namespace rr::rpc {

void WriteBase64(Bytes bytes, Buffer& out);

// False: not base64. Line ends are passed over, as Go does.
[[nodiscard]] bool ReadBase64(std::string_view text, std::string& out);

}  // namespace rr::rpc
