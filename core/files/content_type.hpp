// The content type that an extension stands for.
//
// Thread: pure functions.
#pragma once

#include "core/base/bytes.hpp"

namespace rr::files {

// extension: in any case, without its dot. With the charset for text. Empty: not known.
Bytes TypeOfExtension(Bytes extension);

}  // namespace rr::files
