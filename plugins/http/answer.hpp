// Answer: the context of a worker's answer, decoded by the codec flag of its own frame.
//
//   flags 0x00, 0x08   {"status":200,"headers":{"X-A":["1","2"]}}
//   flags 0x80         message Response of context.proto
//
// Thread: one decoder per loop; an Answer is valid until the decoder's next call.
// Owns:   the decoder: simdjson's tables and string memory, reused.
// Fails:  AnswerFault; the caller answers 502.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/bytes.hpp"

namespace rr::http {

struct AnswerField {
    Bytes name;   // as the worker sent it
    Bytes value;  // a name with several values comes several times, in the worker's order
};

struct Answer {
    int64_t status = 200;
    std::vector<AnswerField> fields;

    // 100..599.
    bool status_valid() const { return status >= 100 && status <= 599; }
    bool informational() const { return status >= 100 && status <= 199; }
};

enum class AnswerFault : uint8_t {
    kNone,
    kCodec,      // flags that are no codec
    kMalformed,  // not JSON, not protobuf, or of another shape
};
const char* Describe(AnswerFault fault);

class AnswerDecoder {
public:
    // Readable bytes that must follow a JSON context (simdjson reads ahead).
    static constexpr size_t kPadding = 64;

    AnswerDecoder();
    ~AnswerDecoder();
    AnswerDecoder(const AnswerDecoder&) = delete;
    AnswerDecoder& operator=(const AnswerDecoder&) = delete;

    // context: followed by kPadding readable bytes. body_size: of the frame. An empty context is
    // status 200 without headers, in any codec if the body is empty too.
    AnswerFault Decode(uint8_t flags, Bytes context, uint64_t body_size, Answer& out);

    // As Decode, for bytes without padding: copies them.
    AnswerFault DecodeCopy(uint8_t flags, Bytes context, uint64_t body_size, Answer& out);

private:
    struct Json;
    AnswerFault DecodeJson(Bytes context, Answer& out);

    std::unique_ptr<Json> json_;
    Buffer copy_;
};

// The protobuf form; views in `out` lie inside `context`.
AnswerFault DecodeProtobufAnswer(Bytes context, Answer& out);

}  // namespace rr::http
