// FastCGI's parameters (RFC 3875's variables) as the head of a request.
//
//   REQUEST_METHOD, SERVER_PROTOCOL, HTTPS     method, protocol, https
//   REQUEST_URI, else SCRIPT_NAME, PATH_INFO   the target
//     and QUERY_STRING
//   HTTP_X_A                                   the header X-A
//   CONTENT_TYPE, CONTENT_LENGTH               these headers, before HTTP_CONTENT_...
//   REMOTE_ADDR, REMOTE_PORT                   the client
//
// Thread: a plain function.
// Fails:  with the status of the refusal; what was fine until then is in the head.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/bytes.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/head_guard.hpp"

namespace rr::http {

// Above this many bytes of parameters nothing more is kept: more than a head within the limits can
// be, with the target in four of them and room for the gateway's own.
size_t MostFcgiParams(const HeadLimits& limits);

// `params` gets the headers' names, and more bytes if there is no REQUEST_URI; the head's views lie
// in it. peer stays as it is if the client's address is not given. Returns 0, or 400, 414, 431.
int ReadFcgiParams(Buffer& params, const HeadLimits& limits, RequestHead& head, std::string& peer);

}  // namespace rr::http
