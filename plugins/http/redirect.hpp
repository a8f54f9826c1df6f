// RedirectToHttps: `ssl.redirect`: what a request that came without TLS is answered.
//
// Thread: pure.
#pragma once

#include <cstdint>

#include "core/api/http_middleware.hpp"
#include "plugins/http/head.hpp"

namespace rr::http {

// code: 301, 302, 307 or 308. port: of the listener with TLS. A request that names no host is 400.
HttpAnswer RedirectToHttps(const RequestHead& head, int code, uint16_t port);

}  // namespace rr::http
