// RequestHead: a request's head as views onto the bytes it came in.
//
// The guard has read the bytes; llhttp, in strict mode, reads the header lines once more and both
// must agree on framing. llhttp does not see the request line: it knows a list of methods and, in
// Debian's strict build, no bytes above 0x7f in targets, while RoadRunner passes both on to PHP.
//
// Thread: a plain value. Reused between requests: no allocation once the vector has grown.
// Owns:   nothing but the vector; the views die with the bytes (Rebase moves them).
// Fails:  ParseHead returns a HeadFault.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/head_guard.hpp"

namespace rr::http {

// Methods that make a difference here. Method names are case-sensitive.
enum class Method : uint8_t {
    kOther,
    kGet,
    kHead,
    kPost,
    kPut,
    kPatch,
    kDelete,
    kOptions,
    kConnect
};
Method IdentifyMethod(Bytes name);

enum class TargetForm : uint8_t {
    kOrigin,     // /path?query
    kAbsolute,   // http://host/path?query
    kAuthority,  // host:port, CONNECT only
    kAsterisk,   // *, OPTIONS only
};
// How to read a target; false: it is none of the four forms.
bool IdentifyTarget(Bytes target, Method method, TargetForm& form);

// True if every byte may stand in a Host value (Go's list; brackets, colons and more pass).
bool IsHostText(Bytes value);

struct HeaderField {
    Bytes name;   // as it was sent
    Bytes value;  // blanks around it trimmed
    uint32_t hash = 0;
    HeaderId id = HeaderId::kOther;
};

HeaderField MakeField(Bytes name, Bytes value);

struct RequestHead {
    Bytes method;
    Bytes target;
    Bytes protocol;  // HTTP/1.0, HTTP/1.1, HTTP/2.0: a constant
    Bytes host;      // value of Host; empty if there is none
    Method verb = Method::kOther;
    TargetForm form = TargetForm::kOrigin;
    uint8_t minor = 1;
    std::vector<HeaderField> fields;  // all of them, in arrival order

    uint64_t content_length = 0;  // 0 if absent
    bool has_content_length = false;
    bool chunked = false;
    bool framed = false;           // there is a body, and the protocol around it says where it ends
    bool secure = false;           // came over TLS
    bool keep_alive = false;       // the client wants to go on after the answer
    bool expect_continue = false;  // waits for `100 Continue`
    bool expect_other = false;     // an Expect we cannot meet: 417
    bool upgrade = false;          // Connection: upgrade and an Upgrade header

    bool has_body() const { return chunked || framed || content_length > 0; }
    // True for methods a request may be run twice with, if it has no body.
    bool safe() const {
        return verb == Method::kGet || verb == Method::kHead || verb == Method::kOptions;
    }

    // The text after the first `?` of the target; empty if there is none.
    Bytes query() const;
    // First value of a known header; empty if absent.
    Bytes Find(HeaderId id) const;
    // First value of any header, name in any case.
    Bytes Find(Bytes name) const;

    // Adds a header; both views must live as long as the head is used.
    void Add(Bytes name, Bytes value);
    // All of that name; hash: NameHash of it.
    void Remove(Bytes name, uint32_t hash);

    // The bytes moved from `from` (`size` of them) to `to`: so do all views onto them.
    void Rebase(const char* from, size_t size, const char* to);

    // Forgets the request and keeps the vector's memory.
    void Reset();
};

// Fills `head` from bytes that `guard` found complete. kNone, or why not.
HeadFault ParseHead(Bytes in, const HeadGuard& guard, RequestHead& head);

}  // namespace rr::http
