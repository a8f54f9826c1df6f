// RequestLine: a finished request in one line, as RoadRunner 1.x printed it under `serve -d`.
//
// Thread: values.
#pragma once

#include <string>

#include "core/api/events.hpp"

namespace rr::cmd {

// `127.0.0.1:40000 {12.3ms} 200 GET /uri`
std::string RequestLine(const RequestEvent& event);

}  // namespace rr::cmd
