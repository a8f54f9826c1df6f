// The first exchange with a worker: `{"pid":100,"rr":1}` to it, `{"pid":4242}` back, with `"rr":1`
// added by workers that number their answers (decisions: requests and numbers).
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace rr::relay {

enum class Dialect : uint8_t { kV2, kV3 };

struct PidReply {
    int64_t pid = 0;
    bool numbered = false;  // repeats request numbers, accepts prefetched requests
};

// A ready frame or message.
std::string PidRequest(Dialect dialect, int64_t our_pid);
std::string StopCommand(Dialect dialect);

// The payload of a CONTROL answer.
Result<PidReply> ParsePidReply(Bytes payload);

}  // namespace rr::relay
