#include "core/net/connector.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include <uv.h>

#include "core/base/process.hpp"
#include "core/net/timer.hpp"

namespace rr::net {
namespace {

// Keeps a connection that idles through a firewall or a router known there, and notices a peer that
// vanished without a word.
constexpr int kKeepAliveSeconds = 60;

struct Target {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

bool IsNumber(const std::string& host) {
    in6_addr any;
    return inet_pton(AF_INET, host.c_str(), &any) == 1 ||
           inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

// REQUIRES: the host is a number.
Target ToTarget(const Address& address) {
    Target target;
    if (address.kind == Address::Kind::kUnix) {
        sockaddr_un named{};
        named.sun_family = AF_UNIX;
        std::memcpy(named.sun_path, address.path.data(), address.path.size());
        std::memcpy(&target.storage, &named, sizeof(named));
        target.size = sizeof(named);
    } else if (address.host.find(':') != std::string::npos) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
        std::memcpy(&target.storage, &v6, sizeof(v6));
        target.size = sizeof(v6);
    } else {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
        std::memcpy(&target.storage, &v4, sizeof(v4));
        target.size = sizeof(v4);
    }
    return target;
}

Errc CodeOf(int number) {
    switch (number) {
        case ECONNREFUSED:
        case ENOENT: return Errc::kClosed;
        case ETIMEDOUT:
        case EAGAIN: return Errc::kTimeout;  // a unix socket whose queue is full says EAGAIN
        case EACCES:
        case EPERM: return Errc::kDenied;
        default: return Errc::kIo;
    }
}

}  // namespace

// Lives until its last event, longer than the Connector if need be. `self` holds it meanwhile.
struct Connector::Attempt {
    Attempt(Loop& l, Address a, Made m, Connector* o)
        : loop(l), address(std::move(a)), made(std::move(m)), owner(o), limit(l, [this] {
              Finish(Fail(Errc::kTimeout, "no connection in time"));
          }) {}
    ~Attempt() {
        if (descriptor >= 0) {
            close(descriptor);
        }
    }

    void Begin(const std::shared_ptr<Attempt>& me) {
        if (address.kind == Address::Kind::kUnix || IsNumber(address.host)) {
            loop.Post([me] { me->Open(me); });
            return;
        }
        loop.Offload(
            [me] {
                Result<Address> found = Resolve(Address(me->address));
                if (found) {
                    me->resolved = std::move(found->host);
                } else {
                    me->unresolved = std::make_unique<Error>(std::move(found.error()));
                }
            },
            [me] {
                if (me->unresolved != nullptr) {
                    // The text names the host; the address in front of it names it too.
                    me->Finish(Result<Connection>(tl::unexpected<Error>(*me->unresolved)));
                    return;
                }
                me->Open(me);
            });
    }

    void Open(const std::shared_ptr<Attempt>& me) {
        if (over) {
            return;
        }
        Address numeric = address;
        if (!resolved.empty()) {
            numeric.host = resolved;
        }
        const Target target = ToTarget(numeric);
        descriptor =
            socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0) {
            SystemFailure(errno);
            return;
        }
        if (connect(descriptor, reinterpret_cast<const sockaddr*>(&target.storage), target.size) !=
                0 &&
            errno != EINPROGRESS) {
            SystemFailure(errno);
            return;
        }
        if (uv_poll_init(loop.raw(), &poll, descriptor) != 0) {
            SystemFailure(EMFILE);
            return;
        }
        self = me;
        polling = true;
        poll.data = this;
        uv_poll_start(&poll, UV_WRITABLE, [](uv_poll_t* p, int, int) noexcept {
            static_cast<Attempt*>(p->data)->OnWritable();
        });
    }

    void OnWritable() {
        int number = 0;
        socklen_t size = sizeof(number);
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size);
        if (number != 0) {
            SystemFailure(number);
            return;
        }
        const bool tcp = address.kind == Address::Kind::kTcp;
        if (tcp) {
            int on = 1;
            setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
            setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &kKeepAliveSeconds,
                       sizeof(kKeepAliveSeconds));
#endif
        }
        Finish(Connection{-1, tcp ? Stream::Kind::kTcp : Stream::Kind::kPipe});
    }

    void SystemFailure(int number) {
        Finish(Fail(CodeOf(number), "connect: " + process::ErrorText(number)));
    }

    // The socket may have another handle only when libuv has let go of it: the result waits for that.
    void Finish(Result<Connection> with) {
        if (over) {
            return;
        }
        over = true;
        limit.Disarm();
        result = std::make_unique<Result<Connection>>(std::move(with));
        if (polling) {
            StopPolling();
            return;
        }
        Report();
    }

    void StopPolling() {
        polling = false;
        uv_close(reinterpret_cast<uv_handle_t*>(&poll), [](uv_handle_t* h) {
            auto* attempt = static_cast<Attempt*>(reinterpret_cast<uv_poll_t*>(h)->data);
            std::shared_ptr<Attempt> last = std::move(attempt->self);
            attempt->Report();
        });
    }

    void Report() {
        if (owner == nullptr || result == nullptr) {
            return;  // cancelled
        }
        Result<Connection> outcome = std::move(*result);
        if (outcome) {
            outcome->descriptor = std::exchange(descriptor, -1);
        } else {
            outcome = Forward(outcome, address.ToString());
        }
        std::shared_ptr<Attempt> last = std::move(owner->attempt_);
        owner->attempt_ = nullptr;
        owner = nullptr;
        Made told = std::move(made);
        told(std::move(outcome));
    }

    Loop& loop;
    const Address address;
    Made made;
    Connector* owner;  // null: cancelled
    Timer limit;
    uv_poll_t poll{};
    std::shared_ptr<Attempt> self;  // while libuv knows `poll`
    std::string resolved;
    std::unique_ptr<Error> unresolved;
    std::unique_ptr<Result<Connection>> result;
    int descriptor = -1;
    bool polling = false;
    bool over = false;
};

void Connector::Connect(const Address& address, Duration limit, Made made) {
    RR_ASSERT(attempt_ == nullptr);
    Address there = address;
    if (there.kind == Address::Kind::kTcp && there.host.empty()) {
        there.host = "127.0.0.1";
    }
    attempt_ = std::make_shared<Attempt>(loop_, std::move(there), std::move(made), this);
    attempt_->limit.Arm(limit);
    attempt_->Begin(attempt_);
}

void Connector::Cancel() {
    if (attempt_ == nullptr) {
        return;
    }
    std::shared_ptr<Attempt> attempt = std::move(attempt_);
    attempt_ = nullptr;
    attempt->owner = nullptr;
    attempt->over = true;
    attempt->limit.Disarm();
    if (attempt->polling) {
        attempt->StopPolling();
    }
}

}  // namespace rr::net
