#include "plugins/http/plugin.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/reloadable.hpp"
#include "core/config/config.hpp"
#include "core/net/address.hpp"
#include "core/net/listener.hpp"
#include "core/net/tls_keeper.hpp"
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

Bytes SchemeOf(Speech speech) {
    return speech == Speech::kHttp ? "http" : speech == Speech::kHttps ? "https" : "fcgi";
}

std::string Banner(Bytes scheme, const net::Address& address, uint32_t workers, bool debug) {
    std::string where = address.ToString();
    if (address.kind == net::Address::Kind::kTcp) {
        size_t at = where.find("://");
        where = std::string(scheme) + where.substr(at);
        if (address.host.empty()) {
            where = std::string(scheme) + "://0.0.0.0:" + std::to_string(address.port);
        }
    }
    constexpr size_t kColumn = 7;
    std::string line(scheme);
    line.resize(kColumn, ' ');
    line += where;
    if (debug) {
        return line + "   debug: a new worker for each request";
    }
    return line + "   " + std::to_string(workers) + (workers == 1 ? " worker" : " workers");
}

}  // namespace

// HttpPlugin: life cycle only; the server lives on the data loop.
//
// Thread: main, but for the methods marked below; what they share is handed over by Post.
class HttpPlugin final : public Plugin, public Reloadable {
public:
    Result<bool> Init(config::Config& config, Container& container) override;
    void Serve(Callback<void(Result<void>)> served) override;
    void Drain(Deadline deadline, Callback<void()> done) override;
    void Stop(Deadline deadline, Callback<void()> done) override;
    // Certificates.
    Result<void> Reload() override { return keeper_->Reload(); }

private:
    // An address of ours, bound.
    struct Bound {
        Speech speech;
        net::Address address;
    };
    struct Listening {
        Speech speech;
        std::unique_ptr<net::Listener> listener;
    };
    void CheckMiddleware(config::Config& config);
    void OnRoutes(Result<void> result);
    void OpenServer();
    void Announce();
    void OpenCertificates(const config::Section& ssl);
    void Use(std::shared_ptr<net::TlsContext> tls);
    void OnCertificates(const Result<void>& result);
    Result<void> Bind(Speech speech, const std::string& text);
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
    std::vector<Bound> bound_;
    std::optional<net::TlsKeeper> keeper_;

    // The data loop's once Serve has posted to it.
    std::vector<Listening> listening_;  // until the pool is open
    std::shared_ptr<net::TlsContext> tls_;
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
    routes_.emplace(*main_, *data_, config_, log_);
    for (auto& group : routes_->groups()) {
        container.Publish<Resettable>(*group);
        container.Publish<WorkerGroup>(*group);
    }
    keeper_.emplace(*main_);
    if (config_.ssl.tls) {
        OpenCertificates(section.Sub("ssl"));
        container.Publish<Reloadable>(*this);
        group_->OnReset([this] { OnCertificates(Reload()); });
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
    Result<void> bound = Bind(Speech::kHttp, config_.address);
    if (bound && config_.ssl.tls) {
        bound = Bind(Speech::kHttps, config_.ssl.address);
    }
    if (bound) {
        bound = Bind(Speech::kFastCgi, config_.fcgi_address);
    }
    auto owner = UploadOwner();
    if (!bound || !owner) {
        listening_.clear();
        served(Fail(Errc::kIo, !bound ? bound.error().message : owner.error().message));
        return;
    }
    upload_owner_ = *owner;
    middleware_ = SelectMiddleware(config_.middleware, container_->Each<HttpMiddleware>());
    served_ = std::move(served);
    if (routes_->empty()) {
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
        data_->Post([this] { listening_.clear(); });
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
        server.SetTls(std::move(tls_));
        for (Listening& one : listening_) {
            server.Accept(one.speech, std::move(one.listener));
        }
        listening_.clear();
    };
    steps.discard = [this] { listening_.clear(); };
    serving_->Open(*services_, "http", config_.pool, std::move(steps), [this](Result<void> result) {
        if (result) {
            Announce();
            keeper_->Watch(config_.ssl.watch, [this](std::string_view, const Result<void>& read) {
                OnCertificates(read);
            });
        }
        served_(std::move(result));
    });
}

void HttpPlugin::Announce() {
    for (const Bound& one : bound_) {
        Bytes scheme = SchemeOf(one.speech);
        container_->Announce(
            Banner(scheme, one.address, config_.pool.num_workers, config_.pool.debug));
        log_.Debug(
            one.speech == Speech::kHttps ? "https server was started" : "http server was started",
            {{"address", one.address.ToString()}});
    }
    if (config_.debug) {
        log_.Info("requests for the debugger have a pool of their own, http.debug",
                  {{"header", config_.debug->header},
                   {"cookie", config_.debug->cookie},
                   {"trusted", config_.debug->trusted_text}});
    }
}

std::unique_ptr<HttpServer> HttpPlugin::MakeServer(std::unique_ptr<pool::WorkerPool> pool) {
    return std::make_unique<HttpServer>(*data_, config_, log_, container_->Events(), upload_owner_,
                                        std::move(pool), middleware_, routes_->Take());
}

// What is wrong with them is a problem of the configuration.
void HttpPlugin::OpenCertificates(const config::Section& ssl) {
    auto tls =
        keeper_->Open("http.ssl", *config_.ssl.tls,
                      [this](std::shared_ptr<net::TlsContext> read) { Use(std::move(read)); });
    if (tls) {
        tls_ = std::move(*tls);
    } else {
        ssl.Problem("", tls.error().message);
    }
}

// New connections get it.
void HttpPlugin::Use(std::shared_ptr<net::TlsContext> tls) {
    data_->Post([this, tls = std::move(tls)]() mutable {
        if (HttpServer* server = serving_->server()) {
            server->SetTls(std::move(tls));
        } else {
            tls_ = std::move(tls);
        }
    });
}

void HttpPlugin::OnCertificates(const Result<void>& result) {
    if (result) {
        log_.Info("certificates were read anew");
    } else {
        log_.Error("certificates can't be used, those before stay",
                   {{"error", result.error().message}});
    }
}

// No address, no listener.
Result<void> HttpPlugin::Bind(Speech speech, const std::string& text) {
    if (text.empty()) {
        return {};
    }
    auto address = net::ParseAddress(text);
    if (!address) {
        return Forward(address, text);
    }
    net::ListenOptions options;
    options.reuse_port = config_.reuse_port;
    auto listener = net::Listener::Bind(*data_, *address, options);
    if (!listener) {
        return Forward(listener);
    }
    bound_.push_back({speech, (*listener)->address()});
    listening_.push_back({speech, std::move(*listener)});
    return {};
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
    keeper_->StopWatching();
    serving_->Drain(deadline, std::move(done));
}

void HttpPlugin::Stop(Deadline deadline, Callback<void()> done) {
    stopping_ = true;
    stopped_ = std::move(done);
    data_->Post([this] { routes_->Detach(); });
    serving_->Stop(deadline, [this, deadline] {
        data_->Post([this, deadline] {
            listening_.clear();
            routes_->Close(deadline, [this] { main_->Post(std::move(stopped_)); });
        });
    });
}

std::unique_ptr<Plugin> Make() { return std::make_unique<HttpPlugin>(); }

}  // namespace rr::http
