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
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rr {

struct HttpField {
    std::string_view name;  // as it was sent
    std::string_view value;
};

// The request's head, and what PHP is going to be told about it. Views are valid during the call;
// what is set is copied. Names of headers compare without case.
class HttpRequest {
public:
    virtual std::string_view method() const = 0;
    virtual std::string_view target() const = 0;  // `/path?query`, as the client sent it
    virtual std::string_view host() const = 0;    // value of Host; empty if there is none
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

protected:
    ~HttpRequest() = default;
};

// A middleware's own answer. Date, Content-Length and Connection are added; the body is not sent
// where the method or the status allows none.
struct HttpAnswer {
    int status = 200;  // 200..599
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
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

protected:
    ~HttpResponse() = default;
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

protected:
    ~HttpMiddleware() = default;
};

}  // namespace rr
