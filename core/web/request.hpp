// Request and Answer: what an endpoint hears and says.
//
// Thread: values.
#pragma once

#include <string>

namespace rr::web {

struct Request {
    std::string method;  // GET
    std::string path;    // as sent: `/health`
    std::string query;   // as sent, without the `?`
};

struct Answer {
    int status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";
};

}  // namespace rr::web
