// headers: the middleware that adds headers to requests and answers, and answers CORS.
#pragma once

#include <memory>

#include "core/api/plugin.hpp"

namespace rr::headers {

std::unique_ptr<Plugin> Make();

}  // namespace rr::headers
