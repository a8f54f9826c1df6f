// Calls and answers of RPC as pure bytes, from the client's side, in Goridge v3 with JSON bodies.
//
//   one frame (relay/frame.hpp), options: [0] number of the call, [1] length of the method's name;
//   payload: name, then body. The answer repeats number and name; with the flag ERROR its body is a
//   text for people.
//
// Thread: values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

namespace rr::rpc {

// The frame of a call. json: empty stands for the method's zero argument.
std::string EncodeCall(uint32_t number, std::string_view method, Bytes json);

struct Answer {
    uint32_t number = 0;
    bool error = false;
    Bytes method;
    Bytes body;
};

enum class AnswerStatus : uint8_t { kNeedMore, kAnswer, kBad };

struct AnswerScan {
    AnswerStatus status = AnswerStatus::kNeedMore;
    size_t size = 0;           // of kAnswer: its bytes
    const char* problem = "";  // of kBad
};

// Looks for a whole answer at the start of `in`; its views point there. A length above `max_payload`
// is bad before anybody waits for it.
AnswerScan ScanAnswer(Bytes in, uint32_t max_payload, Answer& answer);

}  // namespace rr::rpc
