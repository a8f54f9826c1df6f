#include "plugins/headers/plugin.hpp"

#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugins/headers/config.hpp"
#include "plugins/headers/headers.hpp"

namespace rr::headers {
namespace {

class HeadersPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        const config::Section section = http.Sub("headers");
        HeadersConfig parsed = ParseHeadersConfig(section);
        if (!section.present()) {
            return false;
        }
        headers_.emplace(std::move(parsed), container.Log("headers"));
        container.Publish<HttpMiddleware>(*headers_);
        return true;
    }
    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    std::optional<Headers> headers_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<HeadersPlugin>(); }

}  // namespace rr::headers
