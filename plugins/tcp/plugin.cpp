#include "plugins/tcp/plugin.hpp"

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/metric_source.hpp"
#include "core/api/reloadable.hpp"
#include "core/config/config.hpp"
#include "core/net/datagrams.hpp"
#include "core/net/listener.hpp"
#include "core/net/tls.hpp"
#include "core/net/tls_keeper.hpp"
#include "core/pool/group.hpp"
#include "core/pool/services.hpp"
#include "core/pool/serving.hpp"
#include "plugins/tcp/config.hpp"
#include "plugins/tcp/server.hpp"
#include "plugins/tcp/stats.hpp"
#include "plugins/tcp/tcp_metrics.hpp"
#include "plugins/tcp/tcp_rpc.hpp"

namespace rr::tcp {
namespace {

constexpr int kKeepAliveSeconds = 15;  // as Go's listeners
constexpr Duration kLookAtFiles = std::chrono::seconds(5);

// TcpPlugin: life cycle only; the servers live on the data loop.
//
// Thread: main, but for the methods marked below; what they share is handed over by Post.
class TcpPlugin final : public Plugin, public Reloadable {
public:
    Result<bool> Init(config::Config& config, Container& container) override;
    void Serve(Callback<void(Result<void>)> served) override;
    void Drain(Deadline deadline, Callback<void()> done) override;
    void Stop(Deadline deadline, Callback<void()> done) override;
    // Certificates.
    Result<void> Reload() override;

private:
    Result<void> Bind(const ServerConfig& server, ServerStats& stats);
    void Use(const ServerConfig& server, std::shared_ptr<net::TlsContext> tls);
    void OnCertificates(std::string_view name, const Result<void>& result);
    void Announce();

    // Constant after Init.
    Container* container_ = nullptr;
    Loop* main_ = nullptr;
    Loop* data_ = nullptr;
    pool::Services* services_ = nullptr;
    TcpConfig config_;
    log::Logger log_;
    std::optional<pool::PoolGroup> group_;
    std::deque<ServerStats> stats_;  // one for each server; constant but for the counts after Serve
    std::optional<TcpRpc> rpc_;
    std::optional<TcpMetrics> metrics_;
    std::optional<net::TlsKeeper> keeper_;

    std::optional<pool::Serving<TcpServer>> serving_;
    std::vector<Listening> listening_;  // the data loop's once Serve has posted to it
};

Result<bool> TcpPlugin::Init(config::Config& config, Container& container) {
    config::Section section = config.Get("tcp");
    config_ = ParseTcpConfig(section);
    if (!section.present()) {
        return false;
    }
    container_ = &container;
    main_ = &container.MainLoop();
    data_ = &container.DataLoop();
    log_ = container.Log("tcp");
    services_ = container.Get<pool::Services>();
    if (services_ == nullptr) {
        log_.Info("tcp is disabled: it needs the server section");
        return false;
    }
    if (services_->settings.protocol == pool::Protocol::kV2) {
        section.Problem("", "workers of RoadRunner 1.x (server.protocol: v2) have no tcp");
    }
    for (const ServerConfig& server : config_.servers) {
        ServerStats& stats = stats_.emplace_back();
        stats.name = server.name;
        stats.udp = server.udp;
    }
    group_.emplace("tcp", *main_, *data_, log_);
    serving_.emplace(*main_, *data_, *group_);
    rpc_.emplace(*main_, *data_, *serving_, stats_);
    metrics_.emplace(stats_);
    keeper_.emplace(*main_);
    group_->OnReset([this] { OnCertificates("tcp", Reload()); });
    container.Publish<Resettable>(*group_);
    container.Publish<WorkerGroup>(*group_);
    container.Publish<RpcService>(*rpc_);
    container.Publish<MetricSource>(*metrics_);
    container.Publish<Reloadable>(*this);
    return true;
}

Result<void> TcpPlugin::Bind(const ServerConfig& server, ServerStats& stats) {
    Listening one;
    one.config = &server;
    one.stats = &stats;
    std::string key = "servers." + server.name + ".addr";
    if (server.udp) {
        auto socket = net::Datagrams::Bind(*data_, server.address);
        if (!socket) {
            return Forward(socket, key);
        }
        one.datagrams = std::move(*socket);
        stats.address = one.datagrams->address().ToString();
    } else {
        if (server.tls) {
            const std::string name = "tcp.servers." + server.name + ".tls";
            auto tls = keeper_->Open(name, *server.tls,
                                     [this, &server](std::shared_ptr<net::TlsContext> read) {
                                         Use(server, std::move(read));
                                     });
            if (!tls) {
                return Forward(tls, name);
            }
            one.tls = std::move(*tls);
        }
        net::ListenOptions options;
        options.keepalive_seconds = kKeepAliveSeconds;
        auto listener = net::Listener::Bind(*data_, server.address, options);
        if (!listener) {
            return Forward(listener, key);
        }
        one.listener = std::move(*listener);
        stats.address = one.listener->address().ToString();
        if (server.tls && stats.address.starts_with("tcp")) {
            stats.address.replace(0, 3, "tls");
        }
    }
    listening_.push_back(std::move(one));
    return {};
}

void TcpPlugin::Serve(Callback<void(Result<void>)> served) {
    for (size_t i = 0; i < config_.servers.size(); ++i) {
        if (auto bound = Bind(config_.servers[i], stats_[i]); !bound) {
            listening_.clear();
            served(std::move(bound));
            return;
        }
    }
    pool::Serving<TcpServer>::Steps steps;
    steps.make = [this](std::unique_ptr<pool::WorkerPool> pool) {
        return std::make_unique<TcpServer>(*data_, config_, log_, container_->Events(),
                                           std::move(pool));
    };
    steps.start = [this](TcpServer& server) { server.Open(std::move(listening_)); };
    steps.discard = [this] { listening_.clear(); };
    serving_->Open(*services_, "tcp", config_.pool, std::move(steps),
                   [this, served = std::move(served)](Result<void> result) mutable {
                       if (result) {
                           keeper_->Watch(kLookAtFiles,
                                          [this](std::string_view name, const Result<void>& read) {
                                              OnCertificates(name, read);
                                          });
                           Announce();
                       }
                       served(std::move(result));
                   });
}

void TcpPlugin::Announce() {
    const pool::PoolConfig& pool = config_.pool;
    std::string workers = pool.debug ? "debug: a new worker for each event"
                                     : std::to_string(pool.num_workers) +
                                           (pool.num_workers == 1 ? " worker" : " workers");
    for (const ServerStats& stats : stats_) {
        container_->Announce("tcp    " + stats.address + "   " + stats.name + "   " + workers);
        log_.Debug("tcp server was started", {{"server", stats.name}, {"address", stats.address}});
    }
}

// New connections get it.
void TcpPlugin::Use(const ServerConfig& server, std::shared_ptr<net::TlsContext> tls) {
    data_->Post([this, &server, tls = std::move(tls)]() mutable {
        if (TcpServer* serving = serving_->server()) {
            serving->SetTls(server, std::move(tls));
        }
    });
}

Result<void> TcpPlugin::Reload() { return keeper_->Reload(); }

void TcpPlugin::OnCertificates(std::string_view name, const Result<void>& result) {
    if (result) {
        log_.Debug("certificates were read anew", {{"of", name}});
    } else {
        log_.Error("certificates can't be used, those before stay",
                   {{"error", result.error().message}});
    }
}

void TcpPlugin::Drain(Deadline deadline, Callback<void()> done) {
    keeper_->StopWatching();
    serving_->Drain(deadline, std::move(done));
}

void TcpPlugin::Stop(Deadline deadline, Callback<void()> done) {
    serving_->Stop(deadline, std::move(done));
}

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<TcpPlugin>(); }

}  // namespace rr::tcp
