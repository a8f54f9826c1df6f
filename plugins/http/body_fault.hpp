// BodyFault: why a request body was refused; the reason is sent to the client as
// `serve_http: <reason>`.
#pragma once

#include <cstdint>
#include <string>

namespace rr::http {

struct BodyFault {
    uint16_t status = 0;  // 400 or 413; 0: no fault
    std::string reason;

    explicit operator bool() const { return status != 0; }
};

}  // namespace rr::http
