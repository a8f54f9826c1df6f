// Framing: where a message ends in what a client sends.
//
//   delimiter            everything that was read so far, once it ends with the delimiter
//   delimiter, split     up to and including the first delimiter
//   raw                  whatever one read brought
//   length               a number of 1, 2, 4 or 8 bytes, then as many bytes; the number stays
//   fixed                always so many bytes
//
// Thread: values. The bytes come from strangers.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"

namespace rr::tcp {

struct Framing {
    enum class Kind : uint8_t { kDelimiter, kRaw, kLength, kFixed };

    Kind kind = Kind::kDelimiter;
    std::string delimiter = "\r\n";  // never empty
    bool split = false;
    uint8_t length_bytes = 4;
    bool little_endian = false;
    bool length_includes_header = false;
    uint32_t size = 0;  // of kFixed

    // What was read until now decides, not the bytes alone.
    bool by_reads() const { return kind == Kind::kRaw || (kind == Kind::kDelimiter && !split); }
    // An unfinished message at the end of a connection is one (a last line without its end), or is
    // nothing (half a binary message).
    bool delivers_tail() const { return kind == Kind::kDelimiter || kind == Kind::kRaw; }
};

struct Message {
    enum class Status : uint8_t { kNone, kWhole, kTooLarge, kBroken };
    Status status = Status::kNone;
    size_t size = 0;  // of kWhole; bytes at the front
};

// Splitter: finds one message after the other. It remembers what it has looked at, so that a long
// message which comes in small pieces is not searched again and again.
class Splitter {
public:
    // `in`: all bytes that were read and not taken, at least one. most: bytes of a message; more is
    // kTooLarge, told as early as it is known.
    Message Next(const Framing& framing, Bytes in, uint64_t most);

    // After the bytes of a message were taken from the front.
    void Taken() { searched_ = 0; }

private:
    size_t searched_ = 0;  // bytes in which no delimiter begins
};

}  // namespace rr::tcp
