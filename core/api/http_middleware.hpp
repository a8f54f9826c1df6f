// HttpMiddleware: a plugin's place on the way of every HTTP request to a worker, and of its answer
// back to the client.
//
//   class Stamp final : public Plugin, public HttpMiddleware {
//       Result<bool> Init(config::Config&, Container& container) override {
//           container.Publish<HttpMiddleware>(*this);   // in Init
//           return true;
//       }
//       std::string_view middleware_name() const override { return "stamp"; }
//       bool OnRequest(HttpRequest& request, HttpAnswer& answer) override {
//           request.SetHeader("X-Stamp", "1");          // PHP sees it
//           return true;                                // false: `answer` is sent, no worker asked
//       }
//   };
//
// It runs where the user names it: `http.middleware: [a, b]`. As in RoadRunner the last one of the
// list is the outermost: a request comes to b, then to a; the answer goes through a, then b. An
// answer of b's own is never seen by a.
//
// Thread: a data loop, and with several of them on each at once: what a middleware keeps is constant
//         once Init returned, or atomic. No call may block. Calls come while http serves, which may
//         be before the middleware's own Serve and after its Stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/http_fields.hpp"
#include "core/base/bytes.hpp"
#include "core/base/file.hpp"

namespace rr {

// What a middleware keeps of one request from OnRequest on; gone when the request is.
struct HttpState {
    virtual ~HttpState() = default;
};

// The request's head, and what PHP is going to be told about it. Views are valid during the call;
// what is set is copied. Names of headers compare without case.
class HttpRequest {
public:
    virtual std::string_view method() const = 0;
    virtual std::string_view target() const = 0;    // `/path?query`, as the client sent it
    virtual std::string_view host() const = 0;      // value of Host; empty if there is none
    virtual std::string_view protocol() const = 0;  // `HTTP/1.1`, `HTTP/2.0`
    virtual bool secure() const = 0;                // it came over TLS
    // It runs in the debug pool: somebody looks at it, and the answer is for nobody else.
    virtual bool debugged() const { return false; }
    // Without its port. What SetRemoteAddress said, else the connection's other end.
    virtual std::string_view remote_address() const = 0;

    // The first value; empty if there is none.
    virtual std::string_view Header(std::string_view name) const = 0;
    virtual size_t headers() const = 0;
    virtual HttpField header(size_t i) const = 0;  // in the order they came

    // Changes what PHP sees. How the body arrives is decided by what the client sent.
    virtual void SetHeader(std::string_view name, std::string_view value) = 0;  // replaces all
    virtual void AddHeader(std::string_view name, std::string_view value) = 0;
    virtual void RemoveHeader(std::string_view name) = 0;
    // An attribute of the request in PHP; the SDK takes `ipAddress` for the client's address.
    virtual void SetAttribute(std::string_view name, std::string_view value) = 0;
    // For PHP and the log.
    virtual void SetRemoteAddress(std::string_view text) = 0;

    // A place for the middleware that is being called, empty at first: nobody else sees it.
    virtual std::unique_ptr<HttpState>& state() const = 0;
    // A number beside it, for what needs no memory of its own; 0 at first.
    virtual uint64_t& note() const = 0;

protected:
    ~HttpRequest() = default;
};

// Part of a file, opened by somebody else; open as long as it is shared.
struct HttpFile {
    std::shared_ptr<const File> file;  // null: none
    uint64_t offset = 0;
    uint64_t size = 0;
};

// A piece of a body: a text, and behind it a part of a file.
struct HttpPiece {
    std::string text;
    HttpFile file;
};

// A middleware's own answer. Date, Content-Length and Connection are added; the body is not sent
// where the method or the status allows none.
struct HttpAnswer {
    int status = 200;  // 200..599
    HttpFields headers;
    std::string body;
    std::vector<HttpPiece> pieces;  // behind `body`
};

// HttpBodyFilter: changes the bytes of one answer's body on their way to the client.
//
// Thread: the request's loop.
class HttpBodyFilter {
public:
    enum class Step : uint8_t {
        kMore,   // more comes soon
        kFlush,  // the client must be able to use all of it now: the worker may be silent for long
        kLast,   // nothing comes behind it
    };
    virtual ~HttpBodyFilter() = default;
    // Appends to `out` what `in` (may be empty) becomes. False: it failed, and the answer is cut.
    virtual bool Filter(std::string_view in, Step step, Buffer& out) = 0;
    // As many bytes come out as go in: a Content-Length stays true.
    virtual bool KeepsSize() const { return false; }
};

// The head of an answer before it is written: of a worker, of another middleware, or of rr itself.
class HttpResponse {
public:
    virtual int status() const = 0;
    virtual std::string_view Header(std::string_view name) const = 0;
    virtual size_t headers() const = 0;
    virtual HttpField header(size_t i) const = 0;

    virtual void SetHeader(std::string_view name, std::string_view value) = 0;
    virtual void AddHeader(std::string_view name, std::string_view value) = 0;
    virtual void RemoveHeader(std::string_view name) = 0;

    // A body will be sent: neither the method nor the status forbids it, and there is one.
    virtual bool has_body() const = 0;
    // Its size if all of it is known already; -1: it comes piece by piece.
    virtual int64_t body_size() const = 0;
    // Its first bytes, for looking what it is; empty if it begins with a file.
    virtual std::string_view body_start() const = 0;

    // The body passes through `filter`, behind the filters added so far. Unless it keeps the size, a
    // Content-Length that was set is dropped, and the true one sent where it is known.
    virtual void AddFilter(std::unique_ptr<HttpBodyFilter> filter) = 0;
    // Status and body are these instead; what a worker still sends of its own is dropped. Filters
    // added so far are dropped too; headers stay. Only once.
    virtual void Replace(int status, std::string body, HttpFile file) = 0;

protected:
    ~HttpResponse() = default;
};

// How a request ended.
struct HttpOutcome {
    int status = 0;            // as sent; 499: the client went before it was answered
    bool complete = false;     // the whole answer was written
    bool no_worker = false;    // the queue was full, or no worker became free in time
    bool worker = false;       // a worker was asked
    uint64_t read_bytes = 0;   // of the request's body
    uint64_t write_bytes = 0;  // of the answer's body, before filters
    int64_t start_unix_ns = 0;
    int64_t elapsed_ns = 0;
};

class HttpMiddleware {
public:
    // What the user lists in `http.middleware`.
    virtual std::string_view middleware_name() const = 0;

    // The head has come, nothing of the body was looked at. False: `answer` goes to the client.
    virtual bool OnRequest(HttpRequest& request, HttpAnswer& answer) {
        (void)request;
        (void)answer;
        return true;
    }

    // The head of the answer to a request that this middleware let pass; once, before its first byte
    // is written. Not for informational answers (1xx), and not if the client has gone.
    virtual void OnResponse(const HttpRequest& request, HttpResponse& response) {
        (void)request;
        (void)response;
    }

    // The last call for a request that this middleware was shown, also if it answered it itself.
    virtual void OnFinished(const HttpRequest& request, const HttpOutcome& outcome) {
        (void)request;
        (void)outcome;
    }

protected:
    ~HttpMiddleware() = default;
};

}  // namespace rr
