// The answer's head as the wire wants it, chunk framing, trailers, and the answers rr gives itself.
//
// Order in a head: the worker's headers with canonical names, sorted; then what we add: Date,
// Content-Length, Content-Type, Connection, Transfer-Encoding (RoadRunner's order).
//
// Thread: one ResponseWriter per loop.
// Owns:   scratch for sorting, reused: no allocation once it has grown.
// Fails:  never.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/answer.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/name_memo.hpp"
#include "plugins/http/wire.hpp"

namespace rr::http {

// `HTTP/1.1 200 OK\r\n`; `HTTP/1.1 599 status code 599\r\n` for codes without a name. An HTTP/1.0
// request is answered as HTTP/1.0.
void AppendStatusLine(int status, uint8_t minor, Buffer& out);
// `OK`; empty for codes without a name.
Bytes StatusText(int status);

// An answer of this status may have a body.
bool AllowsBody(int status);

// What the answer has to fit.
struct ResponseFacts {
    uint8_t minor = 1;          // the request's HTTP/1.x
    bool head_request = false;  // HEAD: no body
    bool keep_alive = true;     // the client and we want to go on
    bool whole = false;         // the whole body is known: body_size; false: a stream
    uint64_t body_size = 0;     // of a whole answer
    Bytes body_start;           // first bytes of the body for sniffing; may be empty
    Bytes date;                 // HttpDate
};

enum class Framing : uint8_t {
    kNone,    // no body may follow
    kLength,  // exactly `length` bytes
    kChunked,
    kClose,  // until the connection closes
    kOuter,  // HTTP/2 and FastCGI: their frames say where it ends
};

// How the body has to be sent.
struct ResponsePlan {
    Framing framing = Framing::kNone;
    uint64_t length = 0;      // of kLength; a stream's is what the worker promised
    bool keep_alive = true;   // false: close after the answer
    bool drops_body = false;  // there is a body that status or method does not allow
};

// Headers of 1xx answers: they are sent again with the final head, as in RoadRunner.
class CarriedFields {
public:
    void Add(const Answer& informational);
    bool empty() const { return fields_.empty(); }
    void Clear();
    void AppendTo(std::vector<AnswerField>& out) const;

private:
    struct Field {
        uint32_t at;
        uint32_t name;
        uint32_t value;
    };
    Buffer bytes_;
    std::vector<Field> fields_;
};

class ResponseWriter {
public:
    // Writes the final head. trailers: gets the complete trailer block (`Name: value\r\n...`) for
    // AppendLastChunk or Wire::End, if the worker named any and the protocol can carry them.
    // carried: headers of earlier 1xx answers, or null.
    // REQUIRES: answer.status_valid().
    ResponsePlan WriteHead(const Answer& answer, const ResponseFacts& facts,
                           const CarriedFields* carried, Wire& wire, Buffer& trailers);

    // Writes a 1xx head: no Date, nothing generated. Nothing for HTTP/1.0 and FastCGI clients.
    void WriteInformational(const Answer& answer, uint8_t minor, Wire& wire);

private:
    struct Line {
        Bytes name;  // canonical: a constant, in memo_ or in names_
        Bytes value;
        uint64_t start;  // of the name, for sorting
        HeaderId id;
        uint32_t order;
    };
    // What the headers themselves say about the answer's form.
    struct Said {
        bool content_type = false;
        bool content_encoding = false;
        bool date = false;
        bool chunked = false;  // Transfer-Encoding: chunked
        bool connection = false;
        bool close = false;   // Connection: close
        bool length = false;  // a valid Content-Length
        uint64_t length_value = 0;
    };
    class Text;
    class Fields;
    void Collect(const Answer& answer, const CarriedFields* carried, Buffer* trailers);
    void TakeTrailers(Buffer& trailers);
    Said Listen() const;
    ResponsePlan Decide(const ResponseFacts& facts, const Said& said, int status, bool trailers,
                        WireForm form) const;
    template <class Out>
    void Finish(const ResponseFacts& facts, const Said& said, const ResponsePlan& plan, int status,
                Out& out) const;
    void SendFields(int status, bool body, Wire& wire);

    std::vector<AnswerField> fields_;
    std::vector<Line> lines_;
    std::vector<Bytes> announced_;  // names that Trailer lists
    NameMemo memo_;
    Buffer names_;  // those that memo_ had no place for
    // HTTP/2: the head's fields, as offsets into sent_ while that grows.
    struct Sent {
        uint32_t at;
        uint32_t name;
        uint32_t value;
    };
    Buffer sent_;
    std::vector<Sent> spans_;
    std::vector<AnswerField> sent_fields_;
};

// `1a\r\n`; at most kChunkHeadMost bytes. Returns the size.
inline constexpr size_t kChunkHeadMost = 18;
size_t WriteChunkHead(uint64_t size, char* out);
inline constexpr Bytes kChunkEnd = "\r\n";
// `0\r\n`, the trailer block, `\r\n`.
void AppendLastChunk(Bytes trailers, Buffer& out);

inline constexpr Bytes kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// An answer of rr's own. text: the body as it is sent; empty for `Content-Length: 0`.
struct OwnAnswer {
    int status = 500;
    Bytes text;
    bool nosniff = false;      // Content-Type and X-Content-Type-Options: nosniff (form errors)
    bool retry_after = false;  // Retry-After: 1
    bool close = false;
    uint8_t minor = 1;
    bool head_request = false;
    Bytes date;
};
void AppendOwnAnswer(const OwnAnswer& answer, Buffer& out);

// An answer to a request that could not be read: status line with `detail` (may be empty) behind
// the name, the same text as the body, Connection: close. For HeadFaults, 408, 413, 417.
void AppendRefusal(int status, Bytes detail, Buffer& out);

}  // namespace rr::http
