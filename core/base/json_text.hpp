// JSON text as Go's encoding/json writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped, every byte
// that is not UTF-8 replaced by \ufffd.
//
// Thread: values only. Never fails.
#pragma once

#include "core/base/bytes.hpp"

namespace rr {

// Appends text with its quotes.
void AppendJsonString(Bytes text, Buffer& out);

void AppendDecimal(uint64_t value, Buffer& out);

// Length of the UTF-8 sequence that `text` begins with; 0 if it begins with none.
size_t Utf8Sequence(Bytes text);

}  // namespace rr
