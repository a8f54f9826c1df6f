// Request and Answer: what an endpoint hears and says.
//
// Thread: values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/api/http_middleware.hpp"

namespace rr::web {

struct Request {
    std::string method;  // GET
    std::string path;    // as sent: `/health`
    std::string query;   // as sent, without the `?`
    // Names in lower case; long ones and those beyond the first hundred are left out.
    std::vector<std::pair<std::string, std::string>> fields = {};
};

struct Answer {
    int status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";  // empty: among `headers`
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::vector<HttpPiece> pieces = {};  // behind `body`
};

}  // namespace rr::web
