// FastCGI's bytes: records, name-value pairs, and the records of an answer.
//
// Thread: plain values.
// Owns:   FcgiReader keeps eight bytes of a record's head; views go onto what it was given.
// Fails:  kBad: the version is not 1. Nothing else in a record can be wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::http {

enum class FcgiType : uint8_t {
    kBegin = 1,
    kAbort = 2,
    kEnd = 3,
    kParams = 4,
    kStdin = 5,
    kStdout = 6,
    kStderr = 7,
    kData = 8,
    kGetValues = 9,
    kGetValuesResult = 10,
    kUnknownType = 11,
};

// What becomes of a request, in its END_REQUEST.
enum class FcgiEnd : uint8_t {
    kComplete = 0,
    kCantMultiplex = 1,  // the connection has a request already
    kOverloaded = 2,
    kUnknownRole = 3,
};

class FcgiReader {
public:
    enum class Event : uint8_t {
        kNeedMore,
        kRecord,   // its head is there
        kContent,  // some of its content
        kEnd,      // all of it came
        kBad,
    };
    struct Step {
        Event event = Event::kNeedMore;
        size_t consumed = 0;
        Bytes content;
    };

    // Looks at the next bytes. After kNeedMore all of them are consumed.
    Step Next(Bytes in);

    // Of the record at hand.
    FcgiType type() const { return static_cast<FcgiType>(head_[1]); }
    uint16_t id() const { return static_cast<uint16_t>(head_[2] << 8 | head_[3]); }
    uint16_t size() const { return static_cast<uint16_t>(head_[4] << 8 | head_[5]); }

private:
    enum class Phase : uint8_t { kHead, kContent, kPadding };

    std::array<uint8_t, 8> head_{};
    size_t have_ = 0;  // of it
    size_t left_ = 0;  // of the content, or the padding
    Phase phase_ = Phase::kHead;
};

struct FcgiPair {
    Bytes name;
    Bytes value;
};

// Takes a pair from the front of `in`. False: there is none; what is still in `in` was cut off.
bool TakeFcgiPair(Bytes& in, FcgiPair& pair);
void AppendFcgiPair(Bytes name, Bytes value, Buffer& out);

// One record; at most 65535 bytes.
void AppendFcgiRecord(FcgiType type, uint16_t id, Bytes content, Buffer& out);
// As many records of STDOUT as it takes; none for nothing.
void AppendFcgiStdout(uint16_t id, Bytes bytes, Buffer& out);
void AppendFcgiEnd(uint16_t id, FcgiEnd end, Buffer& out);

}  // namespace rr::http
