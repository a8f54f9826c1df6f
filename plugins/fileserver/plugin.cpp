#include "plugins/fileserver/plugin.hpp"

#include <optional>
#include <utility>

#include "core/api/container.hpp"
#include "core/api/invocation.hpp"
#include "core/config/config.hpp"
#include "core/files/background.hpp"
#include "core/web/endpoint.hpp"
#include "plugins/fileserver/config.hpp"
#include "plugins/fileserver/file_server.hpp"

namespace rr::fileserver {
namespace {

// RoadRunner's times, and as many clients as descriptors are likely to be there for.
constexpr web::EndpointOptions kOptions{.max_connections = 4096,
                                        .request = std::chrono::seconds(10),
                                        .write = std::chrono::seconds(10),
                                        .idle = std::chrono::seconds(120)};

// FileServerPlugin: life cycle; the endpoint lives on a data loop.
//
// Thread: main, but for the endpoint and its files.
class FileServerPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        const config::Section section = config.Get("fileserver");
        const auto* invocation = container.Get<Invocation>();
        config_ = ParseFileServerConfig(section, invocation ? invocation->directory : ".");
        if (!section.present()) {
            return false;
        }
        container_ = &container;
        log_ = container.Log("fileserver");
        background_.emplace(container);
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        container_->DataLoop().Post([this, served = std::move(served)]() mutable {
            Result<std::string> url = Open();
            container_->MainLoop().Post(
                [this, served = std::move(served), url = std::move(url)]() mutable {
                    if (!url) {
                        served(Forward(url));
                        return;
                    }
                    container_->Announce("files  " + *url);
                    log_.Info("file server started", {{"address", config_.address}});
                    served({});
                });
        });
    }

    void Stop(Deadline, Callback<void()> done) override {
        background_->Stop([this, done = std::move(done)]() mutable {
            container_->DataLoop().Post([this, done = std::move(done)]() mutable {
                endpoint_.reset();
                files_.reset();
                container_->MainLoop().Post(std::move(done));
            });
        });
    }

private:
    // On the data loop.
    Result<std::string> Open() {
        files_.emplace(config_, *background_);
        auto endpoint =
            web::Endpoint::Open(container_->DataLoop(), config_.address, kOptions, log_,
                                [this](const web::Request& request, web::Responder responder) {
                                    responder.Send(files_->Answer(request, Clock::now()));
                                });
        if (!endpoint) {
            return Forward(endpoint);
        }
        endpoint_ = std::move(*endpoint);
        return endpoint_->Url();
    }

    Container* container_ = nullptr;
    log::Logger log_;
    FileServerConfig config_;
    std::optional<files::LoopBackground> background_;
    // The data loop's.
    std::optional<FileServer> files_;
    std::unique_ptr<web::Endpoint> endpoint_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<FileServerPlugin>(); }

}  // namespace rr::fileserver
