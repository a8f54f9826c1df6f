#include "plugins/headers/cors.hpp"

#include <algorithm>

#include "core/api/http_text.hpp"

namespace rr::headers {
namespace {

constexpr std::string_view kOrigin = "Origin";
constexpr std::string_view kRequestMethod = "Access-Control-Request-Method";
constexpr std::string_view kRequestHeaders = "Access-Control-Request-Headers";
constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin";
constexpr std::string_view kAllowMethods = "Access-Control-Allow-Methods";
constexpr std::string_view kAllowHeaders = "Access-Control-Allow-Headers";
constexpr std::string_view kAllowCredentials = "Access-Control-Allow-Credentials";
constexpr std::string_view kExposeHeaders = "Access-Control-Expose-Headers";
constexpr std::string_view kMaxAge = "Access-Control-Max-Age";

}  // namespace

bool Cors::IsPreflight(const HttpRequest& request) {
    return request.method() == "OPTIONS" && !request.Header(kRequestMethod).empty();
}

std::string_view Cors::AnswerPreflight(const HttpRequest& request, HttpAnswer& answer) const {
    answer.status = config_.success_status;
    const auto add = [&answer](std::string_view name, std::string_view value) {
        answer.headers.Add(name, value);
    };
    add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    const std::string_view origin = request.Header(kOrigin);
    const std::string_view method = request.Header(kRequestMethod);
    const std::string_view headers = request.Header(kRequestHeaders);
    if (const std::string_view why = WhyNot(origin, method); !why.empty()) {
        return why;
    }
    if (!AllowsHeaders(headers)) {
        return "header not allowed";
    }
    add(kAllowOrigin, Shown(origin));
    add(kAllowMethods, method);
    if (!headers.empty()) {
        add(kAllowHeaders, headers);
    }
    if (config_.credentials) {
        add(kAllowCredentials, "true");
    }
    if (!config_.max_age.empty()) {
        add(kMaxAge, config_.max_age);
    }
    return {};
}

std::string_view Cors::Tell(const HttpRequest& request, HttpResponse& response) const {
    response.AddHeader("Vary", kOrigin);  // also for those that are told nothing
    const std::string_view origin = request.Header(kOrigin);
    if (const std::string_view why = WhyNot(origin, request.method()); !why.empty()) {
        return why;
    }
    response.AddHeader(kAllowOrigin, Shown(origin));
    if (!config_.exposed.empty()) {
        response.AddHeader(kExposeHeaders, config_.exposed);
    }
    if (config_.credentials) {
        response.AddHeader(kAllowCredentials, "true");
    }
    return {};
}

std::string_view Cors::WhyNot(std::string_view origin, std::string_view method) const {
    if (origin.empty()) {
        return "no origin";
    }
    if (!config_.origins.Allow(origin)) {
        return "origin not allowed";
    }
    return AllowsMethod(method) ? std::string_view() : "method not allowed";
}

bool Cors::AllowsMethod(std::string_view method) const {
    return method == "OPTIONS" || std::find(config_.methods.begin(), config_.methods.end(),
                                            method) != config_.methods.end();
}

// Browsers send the names in lower case, sorted, each once; as in RoadRunner nothing else passes.
bool Cors::AllowsHeaders(std::string_view list) const {
    if (config_.all_headers) {
        return true;
    }
    std::string_view last;
    for (std::string_view name; http_text::Next(list, ',', name);) {
        if (name.empty()) {
            continue;
        }
        if (name <= last ||
            !std::binary_search(config_.headers.begin(), config_.headers.end(), name)) {
            return false;
        }
        last = name;
    }
    return true;
}

}  // namespace rr::headers
