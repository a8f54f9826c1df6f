// Cors: which other sites may use this one from a browser, and what is said to them about it.
//
// Thread: any; constant.
#pragma once

#include <string>
#include <string_view>

#include "core/api/http_middleware.hpp"
#include "plugins/headers/config.hpp"

namespace rr::headers {

class Cors {
public:
    explicit Cors(CorsConfig config) : config_(std::move(config)) {}

    // A browser's question before a request: OPTIONS with Access-Control-Request-Method.
    static bool IsPreflight(const HttpRequest& request);
    // Answers it, whether it is allowed or not. Returns why not; empty: it is.
    std::string_view AnswerPreflight(const HttpRequest& request, HttpAnswer& answer) const;
    // Adds to the answer of a request what its browser wants to know. Returns why nothing.
    std::string_view Tell(const HttpRequest& request, HttpResponse& response) const;

    bool debug() const { return config_.debug; }

private:
    bool AllowsMethod(std::string_view method) const;
    bool AllowsHeaders(std::string_view list) const;
    std::string_view WhyNot(std::string_view origin, std::string_view method) const;
    // What Access-Control-Allow-Origin says.
    std::string_view Shown(std::string_view origin) const {
        return config_.origins.all() ? "*" : origin;
    }

    const CorsConfig config_;
};

}  // namespace rr::headers
