// Middlewares whose two calls are functions of a test.
#pragma once

#include <functional>
#include <string_view>

#include "core/api/http_middleware.hpp"

namespace rr::http {

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

    std::string_view name;
    std::function<bool(HttpRequest&, HttpAnswer&)> on_request;
    std::function<void(const HttpRequest&, HttpResponse&)> on_response;
};

}  // namespace rr::http
