#include "core/web/endpoint.hpp"

#include <utility>

#include "core/web/connection.hpp"

namespace rr::web {

Responder::~Responder() {
    if (link_) {
        Send({500, "500 Internal Server Error\n"});
    }
}

void Responder::Send(Answer answer) {
    const Link link = std::exchange(link_, nullptr);
    if (link && *link != nullptr) {
        (*link)->Send(std::move(answer));
    }
}

Result<std::unique_ptr<Endpoint>> Endpoint::Open(Loop& loop, std::string_view text,
                                                 EndpointOptions options, log::Logger log,
                                                 Handler handler) {
    auto address = net::ParseAddress(text);
    if (!address) {
        return Forward(address, text);
    }
    auto listener = net::Listener::Bind(loop, *address, {});
    if (!listener) {
        return Forward(listener);
    }
    std::unique_ptr<Endpoint> endpoint(new Endpoint(loop, options, log, std::move(handler)));
    Endpoint* self = endpoint.get();
    endpoint->listener_ = std::move(*listener);
    endpoint->listener_->Accept(
        [self](int descriptor, net::Stream::Kind kind) { self->Add(descriptor, kind); },
        [self](const std::string& trouble) {
            self->log_.Warn("accept failed, trying again", {{"error", trouble}});
        });
    return endpoint;
}

Endpoint::Endpoint(Loop& loop, EndpointOptions options, log::Logger log, Handler handler)
    : LoopBound(loop),
      options_(options),
      log_(log),
      handler_(std::move(handler)),
      tick_(loop, [this] { Tick(); }),
      gone_(std::make_shared<std::vector<std::unique_ptr<Connection>>>()) {}

Endpoint::~Endpoint() {
    listener_.reset();
    auto last = std::move(connections_);
    connections_.clear();
    for (auto& [connection, owner] : last) {
        connection->FlushLast();
    }
}

std::string Endpoint::Url() const {
    std::string url = address().ToString();
    if (address().kind == net::Address::Kind::kTcp) {
        url.replace(0, url.find("://"), "http");
    }
    return url;
}

void Endpoint::Add(int descriptor, net::Stream::Kind kind) {
    // Taken over before it is judged: it must be closed either way.
    auto connection = std::make_unique<Connection>(*this, kind, descriptor);
    if (connections_.size() >= options_.max_connections && !MakeRoom()) {
        return;
    }
    Connection* raw = connection.get();
    connections_.emplace(raw, std::move(connection));
    if (connections_.size() == 1) {
        tick_.Repeat(kTick);
    }
    raw->Start();
}

// Somebody who only holds a connection must not keep a health check out.
bool Endpoint::MakeRoom() {
    Connection* oldest = nullptr;
    for (auto& [connection, owner] : connections_) {
        if (connection->waiting() && (oldest == nullptr || connection->since() < oldest->since())) {
            oldest = connection;
        }
    }
    if (oldest == nullptr) {
        return false;
    }
    oldest->Close();
    return true;
}

void Endpoint::Tick() {
    const Instant now = loop_.Now();
    std::vector<Connection*> all;
    for (auto& [connection, owner] : connections_) {
        all.push_back(connection);
    }
    for (Connection* connection : all) {
        connection->OnTick(now);
    }
    if (connections_.empty()) {
        tick_.Disarm();
    }
}

void Endpoint::Remove(Connection& connection) {
    auto found = connections_.find(&connection);
    if (found == connections_.end()) {
        return;
    }
    if (gone_->empty()) {
        loop_.Post([gone = gone_] { gone->clear(); });
    }
    gone_->push_back(std::move(found->second));
    connections_.erase(found);
}

}  // namespace rr::web
