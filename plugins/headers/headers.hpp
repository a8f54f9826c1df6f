// Headers: the middleware headers. What the user configured is added to each request and answer;
// CORS is answered.
//
// Thread: any data loop, several at once; constant.
// Fails:  never.
#pragma once

#include <optional>
#include <string_view>

#include "core/api/http_middleware.hpp"
#include "core/log/logger.hpp"
#include "plugins/headers/config.hpp"
#include "plugins/headers/cors.hpp"

namespace rr::headers {

class Headers final : public HttpMiddleware {
public:
    Headers(HeadersConfig config, log::Logger log);

    std::string_view middleware_name() const override { return "headers"; }
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override;
    void OnResponse(const HttpRequest& request, HttpResponse& response) override;

private:
    void Debug(std::string_view what, const HttpRequest& request, std::string_view why) const;

    const HeadersConfig::Pairs request_;
    const HeadersConfig::Pairs response_;
    std::optional<Cors> cors_;
    const log::Logger log_;
};

}  // namespace rr::headers
