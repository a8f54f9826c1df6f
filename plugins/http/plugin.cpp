#include "plugins/http/plugin.hpp"

#include <optional>
#include <string>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "core/net/address.hpp"
#include "core/net/listener.hpp"
#include "core/pool/group.hpp"
#include "core/pool/launch.hpp"
#include "core/pool/services.hpp"
#include "core/pool/serving.hpp"
#include "plugins/http/config.hpp"
#include "plugins/http/middleware.hpp"
#include "plugins/http/route_pools.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

std::string Banner(Bytes scheme, const net::Address& address, uint32_t workers, bool debug) {
    std::string where = address.ToString();
    if (address.kind == net::Address::Kind::kTcp) {
        size_t at = where.find("://");
        where = std::string(scheme) + where.substr(at);
        if (address.host.empty()) {
            where = std::string(scheme) + "://0.0.0.0:" + std::to_string(address.port);
        }
    }
    std::string line = std::string(scheme) + "   " + where;
    if (debug) {
        return line + "   debug: a new worker for each request";
    }
    return line + "   " + std::to_string(workers) + (workers == 1 ? " worker" : " workers");
}

}  // namespace

// HttpPlugin: life cycle only; the server lives on the data loop.
//
// Thread: main, but for the methods marked below; what they share is handed over by Post.
class HttpPlugin final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override;
    void Serve(Callback<void(Result<void>)> served) override;
    void Drain(Deadline deadline, Callback<void()> done) override;
    void Stop(Deadline deadline, Callback<void()> done) override;

private:
    void CheckMiddleware(config::Config& config);
    void OnRoutes(Result<void> result);
    void OpenServer();
    void Discard();  // data loop
    void Tell(Bytes scheme, const std::optional<net::Address>& address);
    Result<std::unique_ptr<net::Listener>> Bind(const std::string& text);
    Result<File::Owner> UploadOwner() const;
    std::unique_ptr<HttpServer> MakeServer(std::unique_ptr<pool::WorkerPool> pool);  // data loop

    // Constant after Init.
    Container* container_ = nullptr;
    Loop* main_ = nullptr;
    Loop* data_ = nullptr;
    pool::Services* services_ = nullptr;
    HttpConfig config_;
    log::Logger log_;
    std::optional<pool::PoolGroup> group_;
    std::optional<RoutePools> routes_;

    bool stopping_ = false;
    Callback<void(Result<void>)> served_;
    Callback<void()> stopped_;
    std::optional<pool::Serving<HttpServer>> serving_;
    std::optional<net::Address> address_;  // as bound, both
    std::optional<net::Address> fcgi_address_;

    // The data loop's once Serve has posted to it.
    std::unique_ptr<net::Listener> listener_;  // until the pool is open
    std::unique_ptr<net::Listener> fcgi_listener_;
    File::Owner upload_owner_;
    MiddlewareChain middleware_;
};

Result<bool> HttpPlugin::Init(config::Config& config, Container& container) {
    config::Section section = config.Get("http");
    config_ = ParseHttpConfig(section);
    if (!section.present()) {
        return false;
    }
    container_ = &container;
    main_ = &container.MainLoop();
    data_ = &container.DataLoop();
    log_ = container.Log("http");
    services_ = container.Get<pool::Services>();
    if (services_ == nullptr) {
        log_.Info("http is disabled: it needs the server section");
        return false;
    }
    group_.emplace("http", *main_, *data_, log_);
    serving_.emplace(*main_, *data_, *group_);
    container.Publish<Resettable>(*group_);
    container.Publish<WorkerGroup>(*group_);
    routes_.emplace(*main_, *data_, config_.routes, log_);
    for (auto& group : routes_->groups()) {
        container.Publish<Resettable>(*group);
        container.Publish<WorkerGroup>(*group);
    }
    config.AfterInit([this, &config] { CheckMiddleware(config); });
    return true;
}

// Their plugins may come after this one.
void HttpPlugin::CheckMiddleware(config::Config& config) {
    config::Section section = config.Get("http");
    for (const std::string& name : config_.middleware) {
        if (name == "http_metrics" && config.Get("metrics").present()) {
            continue;  // the metrics plugin counts without it
        }
        std::string warning = MiddlewareWarning(name, container_->Each<HttpMiddleware>());
        if (!warning.empty()) {
            section.Warning("middleware", warning);
        }
    }
}

void HttpPlugin::Serve(Callback<void(Result<void>)> served) {
    if (config_.loops > 1) {
        log_.Warn("http.loops above 1 is not supported yet, one loop serves",
                  {{"loops", config_.loops}});
    }
    auto listener = Bind(config_.address);
    auto fcgi_listener = Bind(config_.fcgi_address);
    auto owner = UploadOwner();
    if (!listener || !fcgi_listener || !owner) {
        served(Fail(Errc::kIo, !listener        ? listener.error().message
                               : !fcgi_listener ? fcgi_listener.error().message
                                                : owner.error().message));
        return;
    }
    if (*listener) {
        listener_ = std::move(*listener);
        address_ = listener_->address();
    }
    if (*fcgi_listener) {
        fcgi_listener_ = std::move(*fcgi_listener);
        fcgi_address_ = fcgi_listener_->address();
    }
    upload_owner_ = *owner;
    middleware_ = SelectMiddleware(config_.middleware, container_->Each<HttpMiddleware>());
    served_ = std::move(served);
    if (config_.routes.empty()) {
        OpenServer();
        return;
    }
    data_->Post([this] {
        routes_->Open(*services_, [this](Result<void> result) {
            main_->Post(
                [this, result = std::move(result)]() mutable { OnRoutes(std::move(result)); });
        });
    });
}

void HttpPlugin::OnRoutes(Result<void> result) {
    if (!result) {
        data_->Post([this] { Discard(); });
        served_(std::move(result));
        return;
    }
    if (!stopping_) {  // else they are being closed
        OpenServer();
    }
}

void HttpPlugin::OpenServer() {
    pool::Serving<HttpServer>::Steps steps;
    steps.make = [this](std::unique_ptr<pool::WorkerPool> pool) {
        return MakeServer(std::move(pool));
    };
    steps.start = [this](HttpServer& server) {
        if (listener_) {
            server.Accept(std::move(listener_));
        }
        if (fcgi_listener_) {
            server.AcceptFcgi(std::move(fcgi_listener_));
        }
    };
    steps.discard = [this] { Discard(); };
    serving_->Open(*services_, "http", config_.pool, std::move(steps), [this](Result<void> result) {
        if (result) {
            Tell("http", address_);
            Tell("fcgi", fcgi_address_);
        }
        served_(std::move(result));
    });
}

std::unique_ptr<HttpServer> HttpPlugin::MakeServer(std::unique_ptr<pool::WorkerPool> pool) {
    return std::make_unique<HttpServer>(*data_, config_, log_, container_->Events(), upload_owner_,
                                        std::move(pool), middleware_, routes_->Take());
}

// Listeners that no server took over.
void HttpPlugin::Discard() {
    listener_.reset();
    fcgi_listener_.reset();
}

void HttpPlugin::Tell(Bytes scheme, const std::optional<net::Address>& address) {
    if (address) {
        container_->Announce(
            Banner(scheme, *address, config_.pool.num_workers, config_.pool.debug));
        log_.Debug("http server was started", {{"address", address->ToString()}});
    }
}

// Null for no address.
Result<std::unique_ptr<net::Listener>> HttpPlugin::Bind(const std::string& text) {
    if (text.empty()) {
        return std::unique_ptr<net::Listener>();
    }
    auto address = net::ParseAddress(text);
    if (!address) {
        return Forward(address, text);
    }
    net::ListenOptions options;
    options.reuse_port = config_.reuse_port;
    return net::Listener::Bind(*data_, *address, options);
}

// Uploads belong to the user the workers run as, who has to be able to move them.
Result<File::Owner> HttpPlugin::UploadOwner() const {
    const auto& settings = services_->settings;
    if (settings.user.empty()) {
        return File::Owner{};
    }
    const auto& own = config_.pool.command;
    auto plan = pool::Resolve(settings, own.empty() ? settings.command : own, {});
    if (!plan) {
        return Forward(plan);
    }
    const pool::LaunchPlan& launch = **plan;
    if (!launch.change_ids || launch.uid == 0 || launch.gid == 0) {
        return File::Owner{};
    }
    return File::Owner{launch.uid, launch.gid};
}

void HttpPlugin::Drain(Deadline deadline, Callback<void()> done) {
    serving_->Drain(deadline, std::move(done));
}

void HttpPlugin::Stop(Deadline deadline, Callback<void()> done) {
    stopping_ = true;
    stopped_ = std::move(done);
    data_->Post([this] { routes_->Detach(); });
    serving_->Stop(deadline, [this, deadline] {
        data_->Post([this, deadline] {
            Discard();
            routes_->Close(deadline, [this] { main_->Post(std::move(stopped_)); });
        });
    });
}

std::unique_ptr<Plugin> Make() { return std::make_unique<HttpPlugin>(); }

}  // namespace rr::http
