// RPC requests and answers as pure bytes, in both of Goridge's dialects.
//
//   v3   one frame (relay/frame.hpp) with the options [0] id, [1] length of the method's name;
//        payload: name, then body. The answer repeats id and name.
//   v2   two messages (relay/frame_v2.hpp): CONTROL|RAW with name + id (u64 LE), then the body.
//        RoadRunner 1.x speaks it; the first byte of a connection tells it apart.
//
// Thread: values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"

namespace rr::rpc {

enum class Dialect : uint8_t { kUnknown, kV3, kV2 };

enum class Codec : uint8_t { kNone, kProto, kJson, kRaw, kMsgpack, kGob };

struct Request {
    Dialect dialect = Dialect::kV3;
    Codec body_codec = Codec::kNone;    // kNone: the client named none
    Codec answer_codec = Codec::kNone;  // of v2: kNone, the result's type decides
    uint64_t id = 0;
    Bytes method;  // `rpc.Version`
    Bytes body;
};

enum class ScanStatus : uint8_t { kNeedMore, kRequest, kBad };

struct Scan {
    ScanStatus status = ScanStatus::kNeedMore;
    size_t size = 0;  // kRequest: its bytes; kNeedMore: the whole request's, 0: not known yet
    const char* problem = "";  // kBad: for the log
};

// v2 or v3, by the first byte of a connection.
Dialect DialectOf(char first);

// Looks for a request at the start of `in`; the views of `out` point into it. A length above
// max_payload is refused as soon as it is there. dialect: not kUnknown.
Scan ScanRequest(Dialect dialect, Bytes in, uint32_t max_payload, Request& out);

// What an answer needs of its request; `method` lives until the answer is written.
struct AnswerHead {
    Dialect dialect = Dialect::kV3;
    Codec codec = Codec::kNone;
    uint64_t id = 0;
    std::string_view method;
};

// Writes one answer behind what `out` holds, in place: Begin leaves room for the head, the body is
// appended to `out`, End fills the head in.
class AnswerWriter {
public:
    AnswerWriter(Buffer& out, const AnswerHead& head);

    // codec: of v2: kRaw or kJson. False: longer than a frame can be; use Fail then.
    [[nodiscard]] bool End(Codec codec);
    // Drops what was appended; the answer is an error with this text.
    void Fail(std::string_view text);

private:
    bool Finish(uint8_t v3_flags, uint8_t v2_flags);

    Buffer& out_;
    const AnswerHead& head_;
    size_t start_;  // of the answer in out_
    size_t body_;   // of its body
};

}  // namespace rr::rpc
