// The middlewares of `http.middleware`, and one request's way through them.
//
// Thread: the functions main; a MiddlewareRun its request's loop.
#pragma once

#include <array>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/base/bytes.hpp"
#include "plugins/http/answer.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/head.hpp"

namespace rr::http {

// An answer's head while middlewares may change it.
struct AnswerDraft {
    int status = 200;
    std::vector<AnswerField>& fields;
    bool head_request = false;
    bool has_body = false;
    int64_t body_size = -1;  // -1: not known yet
    Bytes body_start{};

    // Left by the middlewares.
    std::vector<std::unique_ptr<HttpBodyFilter>>& filters;
    bool replaced = false;  // the body is `body` and `file`
    std::string& body;
    HttpFile& file;
};

// In the order in which a request comes to them.
using MiddlewareChain = std::vector<HttpMiddleware*>;

// Those of `published` that `listed` (of the configuration) names. RoadRunner's order: the last one
// listed comes first.
MiddlewareChain SelectMiddleware(const std::vector<std::string>& listed,
                                 const std::vector<HttpMiddleware*>& published);

// What is to be said about a listed name that nobody published; empty if somebody did.
std::string MiddlewareWarning(std::string_view listed,
                              const std::vector<HttpMiddleware*>& published);

// MiddlewareRun: a request among its middlewares: what they changed, and what they answered.
//
// Owns:   copies of all that they set, until Reset; the first 2 KiB of these without an allocation.
//         Borrows the head, in which changed headers stand as views onto the copies.
class MiddlewareRun final : private HttpRequest {
public:
    MiddlewareRun() = default;
    MiddlewareRun(const MiddlewareRun&) = delete;
    MiddlewareRun& operator=(const MiddlewareRun&) = delete;
    ~MiddlewareRun() = default;

    // Shows them the request. False: one has answered, see answer().
    bool Request(const MiddlewareChain& chain, RequestHead& head, Bytes remote_address,
                 bool debugged = false);
    // Shows an answer's head to those the request has passed, the last one first.
    void Response(AnswerDraft& draft);
    // Tells those that were shown the request how it ended.
    void Finished(const HttpOutcome& outcome);

    bool answered() const { return answered_; }
    const HttpAnswer& answer() const { return answer_; }
    Bytes remote_address() const override { return remote_address_; }
    bool moved() const { return moved_; }  // SetRemoteAddress was called
    std::span<const ContextAttribute> attributes() const { return attributes_; }

    // Forgets the request.
    void Reset();

private:
    class Editor;

    // HttpRequest
    std::string_view method() const override { return head_->method; }
    std::string_view target() const override { return head_->target; }
    std::string_view host() const override { return head_->host; }
    std::string_view protocol() const override { return head_->protocol; }
    bool secure() const override { return head_->secure; }
    bool debugged() const override { return debugged_; }
    std::string_view Header(std::string_view name) const override { return head_->Find(name); }
    size_t headers() const override { return head_->fields.size(); }
    HttpField header(size_t i) const override;
    void SetHeader(std::string_view name, std::string_view value) override;
    void AddHeader(std::string_view name, std::string_view value) override;
    void RemoveHeader(std::string_view name) override;
    void SetAttribute(std::string_view name, std::string_view value) override;
    void SetRemoteAddress(std::string_view text) override;
    std::unique_ptr<HttpState>& state() const override { return kept_[current_].state; }
    uint64_t& note() const override { return kept_[current_].note; }

    char* Room(size_t size);
    Bytes Copy(std::string_view text);
    HttpField Copy(std::string_view name, std::string_view value);
    void ClearAnswer();

    std::array<char, 2048> first_;
    size_t used_ = 0;                           // of first_
    std::pmr::monotonic_buffer_resource more_;  // what it has no room for

    const MiddlewareChain* chain_ = nullptr;
    size_t passed_ = 0;   // of the chain
    size_t current_ = 0;  // the one being called
    // What each of the chain keeps.
    struct Kept {
        std::unique_ptr<HttpState> state;
        uint64_t note = 0;
    };
    mutable std::vector<Kept> kept_;
    RequestHead* head_ = nullptr;
    Bytes remote_address_;
    bool moved_ = false;
    bool debugged_ = false;
    bool answered_ = false;
    HttpAnswer answer_;
    std::vector<ContextAttribute> attributes_;
};

}  // namespace rr::http
