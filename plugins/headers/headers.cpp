#include "plugins/headers/headers.hpp"

#include <string>
#include <utility>
#include <vector>

#include "core/api/http_text.hpp"

namespace rr::headers {
namespace {

bool Has(const HttpResponse& response, std::string_view name) {
    for (size_t i = 0; i < response.headers(); ++i) {
        if (http_text::Equal(response.header(i).name, name)) {
            return true;
        }
    }
    return false;
}

// As in RoadRunner the configured line stands before those of PHP: where only one may be, clients
// take the last.
void AddBefore(HttpResponse& response, std::string_view name, std::string_view value) {
    if (!Has(response, name)) {
        response.AddHeader(name, value);
        return;
    }
    std::vector<std::string> values;
    for (size_t i = 0; i < response.headers(); ++i) {
        if (http_text::Equal(response.header(i).name, name)) {
            values.emplace_back(response.header(i).value);
        }
    }
    response.SetHeader(name, value);
    for (const std::string& each : values) {
        response.AddHeader(name, each);
    }
}

}  // namespace

Headers::Headers(HeadersConfig config, log::Logger log)
    : request_(std::move(config.request)), response_(std::move(config.response)), log_(log) {
    if (config.cors_enabled) {
        cors_.emplace(std::move(config.cors));
    }
}

bool Headers::OnRequest(HttpRequest& request, HttpAnswer& answer) {
    if (cors_ && Cors::IsPreflight(request)) {
        answer.headers.AddAll(response_);
        const std::string_view why = cors_->AnswerPreflight(request, answer);
        Debug("cors preflight", request, why);
        return false;
    }
    for (const auto& [name, value] : request_) {
        request.AddHeader(name, value);
    }
    return true;
}

void Headers::OnResponse(const HttpRequest& request, HttpResponse& response) {
    for (const auto& [name, value] : response_) {
        AddBefore(response, name, value);
    }
    if (cors_) {
        const std::string_view why = cors_->Tell(request, response);
        Debug("cors request", request, why);
    }
}

void Headers::Debug(std::string_view what, const HttpRequest& request, std::string_view why) const {
    if (!cors_->debug()) {
        return;
    }
    log_.Info(what, {{"method", request.method()},
                     {"uri", request.target()},
                     {"origin", request.Header("Origin")},
                     {"requested_method", request.Header("Access-Control-Request-Method")},
                     {"requested_headers", request.Header("Access-Control-Request-Headers")},
                     {"allowed", why.empty()},
                     {"reason", why}});
}

}  // namespace rr::headers
