// What stands in the file for a key.
//
//   values   key                   ->  record
//   ends     end, 8 bytes          ->  key       (several keys may end together)
//
//   record   byte 0      1, the version
//            bytes 1-8   end in Unix nanoseconds, low byte first; 0: none
//            byte 9      length of the end's text
//            then        the text, the value
//
//   An end as a key is written high byte first with its sign turned, so that keys are in order of time.
//
// Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"

namespace rr::kv {

struct Record {
    int64_t expires = 0;
    std::string_view timeout;
    Bytes value;

    bool LivesAt(int64_t now) const { return expires == 0 || expires > now; }
};

size_t RecordSize(const Record& record);
// REQUIRES: RecordSize bytes at `out`, a text of at most 255 bytes.
void WriteRecord(const Record& record, char* out);
// False: it is none of ours. The views point into `bytes`.
[[nodiscard]] bool ReadRecord(Bytes bytes, Record& record);

using EndKey = std::array<char, 8>;
EndKey ToEndKey(int64_t expires);
int64_t FromEndKey(Bytes key);  // REQUIRES: 8 bytes

}  // namespace rr::kv
