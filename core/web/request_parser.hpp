// RequestParser: the bytes of one connection, cut into requests by llhttp in strict mode. Bodies are
// read and forgotten: no control endpoint takes one.
//
// Thread: a plain value, at one place: llhttp keeps a pointer to it.
// Owns:   the text of the request it reads.
// Fails:  Feed says how; afterwards no call but status_for() makes sense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <llhttp.h>

#include "core/base/bytes.hpp"
#include "core/web/request.hpp"

namespace rr::web {

struct Limits {
    size_t head = 64 * 1024;
    uint64_t body = 1024 * 1024;
};

class RequestParser {
public:
    enum class Status : uint8_t {
        kNeedMore,
        kContinue,  // as kNeedMore, and the client waits for `100 Continue` before its body
        kRequest,   // request() is complete
        kMalformed,
        kHeadTooLarge,
        kBodyTooLarge,
        kVersion,  // neither HTTP/1.0 nor 1.1
    };

    explicit RequestParser(Limits limits = {});
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    // Reads from the front of `in`; `used`: how many bytes it took, all of them for kNeedMore. After
    // kRequest the next call begins the next request.
    Status Feed(Bytes in, size_t& used);

    const Request& request() const { return request_; }
    // The client wants to go on after the answer to request().
    bool keep_alive() const { return keep_alive_; }
    // request() came as HTTP/1.0.
    bool old_version() const { return old_version_; }
    // A byte of a request that is not complete was read.
    bool in_request() const { return phase_ != Phase::kBetween; }

private:
    enum class Phase : uint8_t { kBetween, kHead, kBody };

    static const llhttp_settings_t& Settings();
    static RequestParser& Self(llhttp_t* parser) {
        return *static_cast<RequestParser*>(parser->data);
    }
    void Begin();
    void OnField();
    int OnHeadersComplete();
    int OnBody(size_t size);
    int OnMessageComplete();
    Status Judge(llhttp_errno_t error) const;

    const Limits limits_;
    llhttp_t parser_;
    Phase phase_ = Phase::kBetween;
    Status fault_ = Status::kMalformed;  // what a callback stopped for
    size_t head_size_ = 0;
    uint64_t body_size_ = 0;
    std::string target_;
    std::string field_;  // lower case, cut after kLongestField
    std::string value_;
    std::string expect_;
    std::vector<std::pair<std::string, std::string>> fields_;
    Request request_;
    bool complete_ = false;
    bool keep_alive_ = false;
    bool old_version_ = false;
    bool wants_continue_ = false;
};

}  // namespace rr::web
