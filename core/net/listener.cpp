#include "core/net/listener.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <uv.h>

#include "core/net/bound.hpp"
#include "core/net/heritage.hpp"
#include "core/net/timer.hpp"

namespace rr::net {
namespace {

constexpr Duration kPauseWithoutDescriptors = std::chrono::milliseconds(100);
constexpr int kAcceptsPerTurn = 64;  // others on the loop want their turn too

// A socket file may be stale or in use: only a refused connection proves that nobody listens.
bool SomebodyListens(const Endpoint& endpoint) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool alive = connect(fd, endpoint.raw(), endpoint.size) == 0;
    close(fd);
    return alive;
}

// Accepted sockets inherit it (Linux): a client whose machine is gone is noticed without a system
// call for each connection. Probes are as far apart as the silence before the first one.
void KeepAlive(int fd, int seconds) {
    int on = seconds > 0 ? 1 : 0;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (seconds > 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
    }
}

}  // namespace

struct Listener::Handle {
    uv_poll_t poll;
    Listener* owner;
};

Result<std::unique_ptr<Listener>> Listener::Bind(Loop& loop, const Address& wanted,
                                                 const ListenOptions& options) {
    if (wanted.kind == Address::Kind::kUdp) {
        return Fail(Errc::kInvalid, wanted.ToString() + " is no address to listen on");
    }
    Result<Address> resolved = Resolve(wanted);
    if (!resolved) {
        return Forward(resolved);
    }
    Address address = *resolved;
    Endpoint endpoint = ToEndpoint(address);
    int inherited = heritage::Claim(endpoint.raw(), SOCK_STREAM);
    if (inherited >= 0) {
        auto adopted = Adopt(loop, address, inherited);
        if (adopted && address.port == 0) {
            heritage::NoteChosenPort((*adopted)->address().port, SOCK_STREAM);
        }
        if (adopted && address.kind == Address::Kind::kTcp) {
            KeepAlive(inherited, options.keepalive_seconds);
        }
        return adopted;
    }
    int fd = socket(endpoint.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return BindFailed(address, "socket", errno);
    }
    int on = 1;
    if (address.kind == Address::Kind::kUnix) {
        struct stat existing{};
        if (lstat(address.path.c_str(), &existing) == 0) {
            if (S_ISSOCK(existing.st_mode) && SomebodyListens(endpoint)) {
                close(fd);
                return BindFailed(address, "bind", EADDRINUSE);
            }
            if (!S_ISDIR(existing.st_mode)) {
                unlink(address.path.c_str());
            }
        }
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (options.reuse_port) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
        }
        if (endpoint.family == AF_INET6 && address.host != "::") {
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        }
        KeepAlive(fd, options.keepalive_seconds);
    }
    if (bind(fd, endpoint.raw(), endpoint.size) != 0) {
        int number = errno;
        close(fd);
        return BindFailed(address, "bind", number);
    }
    if (address.kind == Address::Kind::kUnix) {
        if (options.unix_mode >= 0) {
            chmod(address.path.c_str(), static_cast<mode_t>(options.unix_mode));
        }
        if (options.unix_owner >= 0 &&
            chown(address.path.c_str(), static_cast<uid_t>(options.unix_owner), gid_t(-1)) != 0) {
            int number = errno;
            close(fd);
            return BindFailed(address, "chown", number);
        }
    }
    if (listen(fd, options.backlog) != 0) {
        int number = errno;
        close(fd);
        return BindFailed(address, "listen", number);
    }
    ReadBack(fd, address);
    if (wanted.kind == Address::Kind::kTcp && wanted.port == 0) {
        heritage::NoteChosenPort(address.port, SOCK_STREAM);
    }
    std::unique_ptr<Listener> listener(new Listener(loop, address, fd));
    listener->owns_file_ = address.kind == Address::Kind::kUnix;
    return listener;
}

Result<std::unique_ptr<Listener>> Listener::Adopt(Loop& loop, const Address& wanted,
                                                  int descriptor) {
    int listening = 0;
    socklen_t size = sizeof(listening);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
        listening == 0) {
        return Fail(Errc::kInvalid,
                    "descriptor " + std::to_string(descriptor) + " is no listening socket");
    }
    Address address = wanted;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    ReadBack(descriptor, address);
    std::unique_ptr<Listener> listener(new Listener(loop, address, descriptor));
    listener->owns_file_ = address.kind == Address::Kind::kUnix;
    return listener;
}

Listener::Listener(Loop& loop, Address address, int descriptor)
    : LoopBound(loop), address_(std::move(address)), descriptor_(descriptor) {}

Listener::~Listener() { Close(); }

void Listener::Accept(Accepted accepted, Trouble trouble) {
    accepted_ = std::move(accepted);
    trouble_ = std::move(trouble);
    handle_ = new Handle;
    handle_->owner = this;
    uv_poll_init(loop_.raw(), &handle_->poll, descriptor_);
    handle_->poll.data = handle_;
    pause_ = std::make_unique<Timer>(loop_, [this] { Watch(); });
    Watch();
}

void Listener::Watch() {
    uv_poll_start(&handle_->poll, UV_READABLE, [](uv_poll_t* p, int, int) noexcept {
        Listener* self = static_cast<Handle*>(p->data)->owner;
        if (self != nullptr) {
            self->TakeAll();
        }
    });
}

void Listener::TakeAll() {
    auto kind = address_.kind == Address::Kind::kTcp ? Stream::Kind::kTcp : Stream::Kind::kPipe;
    for (int i = 0; i < kAcceptsPerTurn && handle_ != nullptr; ++i) {
        int fd = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            accepted_(fd, kind);
            continue;
        }
        int number = errno;
        if (number == EINTR || number == ECONNABORTED) {
            continue;
        }
        if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM) {
            // Readable for ever while we can't accept: look away for a moment instead of spinning.
            uv_poll_stop(&handle_->poll);
            pause_->Arm(kPauseWithoutDescriptors);
            trouble_(address_.ToString() + ": accept: " + strerror(number));
        }
        return;
    }
}

void Listener::Drain() {
    while (handle_ != nullptr) {
        int fd = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            break;
        }
        accepted_(fd,
                  address_.kind == Address::Kind::kTcp ? Stream::Kind::kTcp : Stream::Kind::kPipe);
    }
    Close();
}

void Listener::Close() {
    if (handle_ != nullptr) {
        pause_.reset();
        handle_->owner = nullptr;
        uv_poll_stop(&handle_->poll);
        uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
                 [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
        handle_ = nullptr;
    }
    if (descriptor_ >= 0) {
        close(descriptor_);
        descriptor_ = -1;
        if (owns_file_ && !heritage::Kept()) {
            unlink(address_.path.c_str());
        }
    }
}

}  // namespace rr::net
