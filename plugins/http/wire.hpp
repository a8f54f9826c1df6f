// Wire: where the bytes of one answer go, whatever the protocol on the way to the client is.
//
//   HTTP/1.1   head, chunk framing and body as text into the connection's queue
//   FastCGI    a head with `Status:`, the body unframed; records are the carrier's
//   HTTP/2     the head as fields, the body unframed; frames are the carrier's
//
// Carrier: the same as an exchange sees it: it brought the request and takes the answer. An HTTP/1.1
// connection is one, and so is each stream of HTTP/2 and each request of FastCGI.
//
// Thread: its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/api/http_middleware.hpp"
#include "core/base/bytes.hpp"
#include "plugins/http/answer.hpp"

namespace rr::http {

enum class WireForm : uint8_t { kHttp1, kHttp2, kFastCgi };

enum class AnswerEnd : uint8_t {
    kKeepAlive,  // complete; the connection may go on
    kClose,      // complete; close once it is out
    kAbort,      // cut: reset the connection, or the stream
};

class Wire {
public:
    // bytes: what the answer is written into; the owner keeps it in place.
    Wire(WireForm protocol, Buffer& bytes) : form(protocol), out(bytes) {}
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    const WireForm form;
    Buffer& out;

    // Something was added to `out`.
    virtual void Flushed() = 0;
    // Bytes that the client has not taken yet: above AnswerWriter::kHighWater the answer pauses.
    virtual size_t queued() const = 0;

    // HTTP/2: a head; status 1xx is not the last one. Names are lower-case, values clean. body: one
    // follows, or trailers do.
    virtual void Head(int status, std::span<const AnswerField> fields, bool body) {
        (void)status;
        (void)fields;
        (void)body;
    }
    // HTTP/2: the body is complete. trailers: lines as in HTTP/1.1 (`Name: value\r\n`), or empty.
    virtual void End(Bytes trailers) { (void)trailers; }
    // Sends a part of a file past `out`, which is written before: how many bytes went, 0 if now is
    // not the time for it (the caller reads the file instead), -1 if the file is shorter than said.
    virtual int64_t SendFile(const File& file, uint64_t offset, uint64_t size) {
        (void)file;
        (void)offset;
        (void)size;
        return 0;
    }

protected:
    ~Wire() = default;
};

class Carrier : public Wire {
public:
    using Wire::Wire;

    // `127.0.0.1:40000`, as the log shows it.
    virtual const std::string& peer() const = 0;
    // The connection's other end: peer(), or who speaks for it (a gateway, a proxy with its header).
    virtual std::string sender() const = 0;
    // May it be used again after this answer?
    virtual bool KeepsAlive() const = 0;
    // The disk caught up with the body: ask the exchange for body_status().
    virtual void OnBodyProgress() = 0;
    // The client reads too slowly: call Exchange::Resume once there is room.
    virtual void OnAnswerPaused() = 0;
    // The exchange is over and gone.
    virtual void OnAnswered(AnswerEnd end) = 0;

protected:
    ~Carrier() = default;
};

}  // namespace rr::http
