#include "core/net/datagrams.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <functional>
#include <utility>

#include <uv.h>

#include "core/net/bound.hpp"
#include "core/net/heritage.hpp"
#include "core/net/peer_text.hpp"

namespace rr::net {
namespace {

constexpr int kReadsPerTurn = 64;          // others on the loop want their turn too
constexpr int kReceive = 4 * 1024 * 1024;  // a burst waits in the kernel
constexpr size_t kReadBuffer = 64 * 1024;  // more than any datagram
constexpr size_t kWaitingCost = 64;        // of an empty datagram in the queue
constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // IPv4 inside IPv6

bool WouldBlock(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

// Beyond net.core.rmem_max only with CAP_NET_ADMIN; less than wanted is no failure.
void EnlargeBuffer(int descriptor) {
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &kReceive, sizeof(kReceive)) != 0) {
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kReceive, sizeof(kReceive));
    }
}

}  // namespace

// ---- Peer

std::string Peer::ToString() const { return PeerText(v6_, address_, port_, scope_); }

Result<Peer> Peer::Parse(std::string_view text) {
    auto refused = [] { return Fail(Errc::kInvalid, "expected 127.0.0.1:40000 or [::1]:40000"); };
    Peer peer;
    size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || !ReadPort(text.substr(colon + 1), peer.port_)) {
        return refused();
    }
    std::string host(text.substr(0, colon));
    if (host.starts_with('[') && host.ends_with(']')) {
        peer.v6_ = true;
        host = host.substr(1, host.size() - 2);
        size_t percent = host.find('%');
        if (percent != std::string::npos) {
            const char* end = host.data() + host.size();
            auto [at, error] = std::from_chars(host.data() + percent + 1, end, peer.scope_);
            if (error != std::errc() || at != end) {
                return refused();
            }
            host.resize(percent);
        }
    }
    if (host.find('\0') != std::string::npos ||
        inet_pton(peer.v6_ ? AF_INET6 : AF_INET, host.c_str(), peer.address_) != 1) {
        return refused();
    }
    peer.Unmap();
    return peer;
}

// An IPv4 address inside an IPv6 one becomes itself.
void Peer::Unmap() {
    if (v6_ && memcmp(address_, kMapped, sizeof(kMapped)) == 0) {
        memmove(address_, address_ + sizeof(kMapped), 4);
        memset(address_ + 4, 0, sizeof(address_) - 4);
        scope_ = 0;
        v6_ = false;
    }
}

size_t Peer::Hash() const {
    std::string_view address(reinterpret_cast<const char*>(address_), sizeof(address_));
    return std::hash<std::string_view>()(address) * 31 + (size_t{scope_} << 16 | port_);
}

// ---- Datagrams

// Outlives its owner by libuv's close callback, and so do bytes that the owner's end came from.
struct Datagrams::Handle {
    uv_poll_t poll;
    Datagrams* owner;
    std::unique_ptr<char[]> buffer{new char[kReadBuffer]};
};

Result<std::unique_ptr<Datagrams>> Datagrams::Bind(Loop& loop, const Address& wanted) {
    if (wanted.kind == Address::Kind::kUnix) {
        return Fail(Errc::kInvalid, wanted.ToString() + " is no address for datagrams");
    }
    Result<Address> resolved = Resolve(wanted);
    if (!resolved) {
        return Forward(resolved);
    }
    Address address = *resolved;
    address.kind = Address::Kind::kUdp;
    Endpoint endpoint = ToEndpoint(address);
    int descriptor = heritage::Claim(endpoint.raw(), SOCK_DGRAM);
    if (descriptor >= 0) {
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    } else {
        descriptor = socket(endpoint.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (descriptor < 0) {
            return BindFailed(address, "socket", errno);
        }
        int only = address.host == "::" ? 0 : 1;
        if (endpoint.family == AF_INET6) {
            setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
        }
        // Without SO_REUSEADDR, by which a second program would take the datagrams away.
        if (bind(descriptor, endpoint.raw(), endpoint.size) != 0) {
            int number = errno;
            close(descriptor);
            return BindFailed(address, "bind", number);
        }
    }
    EnlargeBuffer(descriptor);
    ReadBack(descriptor, address);
    if (wanted.port == 0) {
        heritage::NoteChosenPort(address.port, SOCK_DGRAM);
    }
    return std::unique_ptr<Datagrams>(new Datagrams(loop, address, descriptor));
}

Datagrams::Datagrams(Loop& loop, Address address, int descriptor)
    : LoopBound(loop),
      address_(std::move(address)),
      descriptor_(descriptor),
      v6_(address_.host.find(':') != std::string::npos) {}

Datagrams::~Datagrams() {
    if (handle_ != nullptr) {
        handle_->owner = nullptr;
        uv_poll_stop(&handle_->poll);
        uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
                 [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
    }
    close(descriptor_);
}

void Datagrams::Start(DatagramHandler& handler) {
    AssertInLoop();
    handler_ = &handler;
    Watch();
}

void Datagrams::StopReading() {
    AssertInLoop();
    handler_ = nullptr;
    Watch();
}

// Asks libuv for what is wanted now.
void Datagrams::Watch() {
    int wanted = (handler_ != nullptr ? UV_READABLE : 0) | (queue_.empty() ? 0 : UV_WRITABLE);
    if (wanted == watched_) {
        return;
    }
    if (handle_ == nullptr) {
        handle_ = new Handle;
        handle_->owner = this;
        uv_poll_init(loop_.raw(), &handle_->poll, descriptor_);
        handle_->poll.data = handle_;
    }
    watched_ = wanted;
    if (wanted == 0) {
        uv_poll_stop(&handle_->poll);
        return;
    }
    uv_poll_start(&handle_->poll, wanted, [](uv_poll_t* p, int status, int events) noexcept {
        Datagrams* self = static_cast<Handle*>(p->data)->owner;
        if (self != nullptr) {
            self->OnReady(status, events);
        }
    });
}

void Datagrams::OnReady(int status, int events) {
    if (status != 0) {
        // A pending error, of a peer most likely: libuv has stopped watching because of it.
        int number = 0;
        socklen_t size = sizeof(number);
        getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &number, &size);
        watched_ = 0;
        Watch();
        return;
    }
    if ((events & UV_WRITABLE) != 0) {
        SendWaiting();
        Watch();
    }
    if ((events & UV_READABLE) != 0) {
        ReadSome();  // may end this object
    }
}

void Datagrams::ReadSome() {
    Handle* handle = handle_;
    for (int i = 0; i < kReadsPerTurn && handle->owner != nullptr && handler_ != nullptr; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof(from);
        ssize_t got = recvfrom(descriptor_, handle->buffer.get(), kReadBuffer, MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) {
            if (WouldBlock(errno)) {
                return;
            }
            continue;  // of an earlier datagram, and gone by being told
        }
        Peer peer;
        if (from.ss_family == AF_INET6) {
            const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&from);
            peer.port_ = ntohs(v6->sin6_port);
            peer.scope_ = v6->sin6_scope_id;
            peer.v6_ = true;
            memcpy(peer.address_, &v6->sin6_addr, 16);
            peer.Unmap();
        } else {
            const auto* v4 = reinterpret_cast<const sockaddr_in*>(&from);
            peer.port_ = ntohs(v4->sin_port);
            memcpy(peer.address_, &v4->sin_addr, 4);
        }
        handler_->OnDatagram(peer, Bytes(handle->buffer.get(), static_cast<size_t>(got)));
    }
}

Datagrams::Sent Datagrams::Send(const Peer& peer, Bytes bytes) {
    AssertInLoop();
    if (bytes.size() > kLargest) {
        return Sent::kTooLarge;
    }
    if (queue_.empty()) {
        int number = SendNow(peer, bytes);
        if (!WouldBlock(number)) {
            return number == 0 ? Sent::kOk : number == EMSGSIZE ? Sent::kTooLarge : Sent::kFailed;
        }
    }
    size_t cost = bytes.size() + kWaitingCost;
    if (queued_ + cost > kQueue) {
        return Sent::kQueueFull;
    }
    queued_ += cost;
    queue_.push_back({peer, std::string(bytes)});
    Watch();
    return Sent::kOk;
}

void Datagrams::SendWaiting() {
    while (!queue_.empty()) {
        const Waiting& next = queue_.front();
        if (WouldBlock(SendNow(next.peer, next.bytes))) {
            return;
        }
        queued_ -= next.bytes.size() + kWaitingCost;
        queue_.pop_front();
    }
}

// 0 or errno.
int Datagrams::SendNow(const Peer& peer, Bytes bytes) {
    sockaddr_storage to{};
    socklen_t size = sizeof(sockaddr_in);
    if (v6_) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&to);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(peer.port_);
        v6->sin6_scope_id = peer.scope_;
        if (peer.v6_) {
            memcpy(&v6->sin6_addr, peer.address_, 16);
        } else {
            memcpy(&v6->sin6_addr, kMapped, sizeof(kMapped));
            memcpy(v6->sin6_addr.s6_addr + sizeof(kMapped), peer.address_, 4);
        }
        size = sizeof(sockaddr_in6);
    } else if (peer.v6_) {
        return EAFNOSUPPORT;
    } else {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&to);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(peer.port_);
        memcpy(&v4->sin_addr, peer.address_, 4);
    }
    int number = 0;
    // An error that an earlier datagram met is told to the next one; it has nothing to do with it.
    for (int i = 0; i < 2; ++i) {
        if (sendto(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT,
                   reinterpret_cast<const sockaddr*>(&to), size) >= 0) {
            return 0;
        }
        number = errno;
        if (WouldBlock(number)) {
            break;
        }
    }
    return number;
}

}  // namespace rr::net
