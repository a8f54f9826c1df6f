// Middlewares whose two calls are functions of a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "plugins/http/middleware.hpp"

namespace rr::http {

// A draft with all that it borrows.
struct DraftForTest {
    std::vector<AnswerField> fields;
    std::vector<std::unique_ptr<HttpBodyFilter>> filters;
    std::string body;
    HttpFile file;
    AnswerDraft draft{
        .status = 200, .fields = fields, .filters = filters, .body = body, .file = file};
};

struct ScriptedMiddleware final : HttpMiddleware {
    explicit ScriptedMiddleware(std::string_view n) : name(n) {}
    std::string_view middleware_name() const override { return name; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override {
        return !on_request || on_request(request, answer);
    }
    void OnResponse(const HttpRequest& request, HttpResponse& response) override {
        if (on_response) {
            on_response(request, response);
        }
    }
    void OnFinished(const HttpRequest& request, const HttpOutcome& outcome) override {
        if (on_finished) {
            on_finished(request, outcome);
        }
    }

    std::string_view name;
    std::function<bool(HttpRequest&, HttpAnswer&)> on_request;
    std::function<void(const HttpRequest&, HttpResponse&)> on_response;
    std::function<void(const HttpRequest&, const HttpOutcome&)> on_finished;
};

}  // namespace rr::http
