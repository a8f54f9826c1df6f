// Endpoint: a small HTTP/1.1 server for control pages (health, metrics) on the main loop, so that
// the data loops may be as busy as they like.
//
//   auto endpoint = Endpoint::Open(main, "127.0.0.1:2112", {}, log,
//                                  [this](const Request& request, Responder responder) {
//                                      responder.Send({.status = 200, .body = "fine"});
//                                  });
//
// Requests of one connection are answered in their order, one at a time; bodies of requests are read
// and forgotten. Connections are few: beyond the limit the one that has waited longest is closed.
//
// Thread: its loop; Open may be called before the loop runs.
// Owns:   the listener and the connections.
// Fails:  Open, with the address in the text.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/log/logger.hpp"
#include "core/net/listener.hpp"
#include "core/net/timer.hpp"
#include "core/web/request.hpp"

namespace rr::web {

class Connection;

// Responder: the right, and the duty, to answer one request: now or later, once. One that dies unused
// answers 500. The client may be gone meanwhile: the answer is then dropped.
//
// Thread: the endpoint's loop. It may outlive connection and endpoint.
class [[nodiscard]] Responder {
public:
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&& other) noexcept {
        std::swap(link_, other.link_);
        return *this;
    }
    ~Responder();

    void Send(Answer answer);

private:
    friend class Connection;
    // Null once the connection is gone.
    using Link = std::shared_ptr<Connection*>;
    explicit Responder(Link link) : link_(std::move(link)) {}
    Link link_;
};

struct EndpointOptions {
    size_t max_connections = 256;
    Duration request = std::chrono::seconds(10);  // from its first byte, or from the connect
    Duration write = std::chrono::seconds(60);    // for a client to take its answer
    Duration idle = std::chrono::hours(1);        // between requests
};

class Endpoint final : private LoopBound {
public:
    using Handler = Callback<void(const Request&, Responder)>;

    // address: as core/net/address reads it.
    static Result<std::unique_ptr<Endpoint>> Open(Loop& loop, std::string_view address,
                                                  EndpointOptions options, log::Logger log,
                                                  Handler handler);
    // Sends what the kernel takes of the answers that are on their way, and closes everything.
    ~Endpoint();

    // As bound.
    const net::Address& address() const { return listener_->address(); }
    // For people: `http://127.0.0.1:2112`, `unix:///run/rr.sock`.
    std::string Url() const;

    size_t connections() const { return connections_.size(); }

private:
    friend class Connection;
    static constexpr Duration kTick = std::chrono::milliseconds(500);

    Endpoint(Loop& loop, EndpointOptions options, log::Logger log, Handler handler);
    void Add(int descriptor, net::Stream::Kind kind);
    bool MakeRoom();
    void Tick();

    // For connections.
    void Handle(const Request& request, Responder responder) {
        handler_(request, std::move(responder));
    }
    // Takes it out; it lives until the loop's next turn, for it may be in the middle of a call.
    void Remove(Connection& connection);

    const EndpointOptions options_;
    const log::Logger log_;
    Handler handler_;
    std::unique_ptr<net::Listener> listener_;
    net::Timer tick_;
    std::map<Connection*, std::unique_ptr<Connection>> connections_;
    // Shared with the callback that empties it, which may run after us.
    std::shared_ptr<std::vector<std::unique_ptr<Connection>>> gone_;
};

}  // namespace rr::web
