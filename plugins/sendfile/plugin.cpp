#include "plugins/sendfile/plugin.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/http_middleware.hpp"
#include "core/api/invocation.hpp"
#include "core/config/config.hpp"
#include "plugins/sendfile/send_file.hpp"

namespace rr::sendfile {
namespace {

class SendFilePlugin final : public Plugin, public HttpMiddleware {
public:
    // Without a section of its own, as in RoadRunner: being listed is enough.
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section http = config.Get("http");
        const config::Section section = http.Sub("sendfile");
        const auto* invocation = container.Get<Invocation>();
        SendFileConfig read;
        read.directory = invocation != nullptr ? invocation->directory : ".";
        for (std::string& root : section.List("roots")) {
            read.roots.push_back(root.substr(0, 1) == "/" ? root : read.directory + "/" + root);
            if (std::error_code none; !std::filesystem::is_directory(read.roots.back(), none)) {
                section.Warning("roots", "no such folder: " + root + "; nothing below it is sent");
            }
        }
        if (!http.present()) {
            return false;
        }
        files_.emplace(std::move(read), container.Log("sendfile"));
        container.Publish<HttpMiddleware>(*this);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override { served({}); }
    void Stop(Deadline, Callback<void()> done) override { done(); }

    std::string_view middleware_name() const override { return "sendfile"; }
    void OnResponse(const HttpRequest& request, HttpResponse& response) override {
        files_->Apply(request, response);
    }

private:
    std::optional<SendFile> files_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<SendFilePlugin>(); }

}  // namespace rr::sendfile
