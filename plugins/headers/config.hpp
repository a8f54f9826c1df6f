// HeadersConfig: `http.headers`, with RoadRunner's keys.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "plugins/headers/origins.hpp"

namespace rr::config {
class Section;
}

namespace rr::headers {

struct CorsConfig {
    Origins origins;                                             // allowed_origin(_regex)
    std::vector<std::string> methods = {"GET", "POST", "HEAD"};  // letter for letter
    // In lower case.
    std::vector<std::string> headers = {"accept", "content-type", "x-requested-with"};
    bool all_headers = false;
    std::string exposed;  // `X-A, X-B`
    std::string max_age;  // seconds; empty: not sent
    bool credentials = false;
    int success_status = 200;  // of a preflight
    bool debug = false;
};

struct HeadersConfig {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    Pairs request;
    Pairs response;
    bool cors_enabled = false;
    CorsConfig cors;
};

// Reads the section; problems are reported through it.
HeadersConfig ParseHeadersConfig(const config::Section& section);

}  // namespace rr::headers
