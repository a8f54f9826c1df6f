#include "relay/socket_hub.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "core/net/timer.hpp"
#include "relay/channel.hpp"

namespace rr::relay {
namespace {

constexpr int kMaxAncestors = 16;
constexpr size_t kMostGuests = 1024;      // more are turned away: descriptors are for clients
constexpr uint32_t kGuestPayload = 4096;  // an answer to the pid request is short

// The parent of a process, 0 if it is gone.
int64_t ParentOf(int64_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%lld/stat", static_cast<long long>(pid));
    FILE* file = fopen(path, "re");
    if (file == nullptr) {
        return 0;
    }
    char text[512];
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    // The name in parentheses may itself contain any character: the fields follow the last one.
    std::string_view all(text, size);
    size_t close = all.rfind(')');
    long long parent = 0;
    if (close == std::string_view::npos || sscanf(text + close + 1, " %*c %lld", &parent) != 1) {
        return 0;
    }
    return parent;
}

}  // namespace

// Guest: a connection that has not said, or not proved, which worker it is.
class SocketHub::Guest final : public ChannelHandler {
public:
    Guest(SocketHub& hub, int descriptor, net::Stream::Kind kind)
        : hub_(hub),
          kind_(kind),
          // The channel closes its descriptor; the copy goes to the pool.
          descriptor_(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
          limit_(hub.loop(), [this] { LeaveLater(); }),
          channel_(hub.loop(), hub.options_.dialect, descriptor, kind, *this, kGuestPayload) {
        ReadCredentials();
        limit_.Arm(hub.options_.handshake_limit);
        channel_.Send(PidRequest(hub.options_.dialect, getpid()));
    }
    ~Guest() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }

    bool OnFrame(const FrameHeader& header, Bytes, Bytes body, bool whole) override {
        Result<PidReply> reply = ParsePidReply(body);
        if (answered || !whole || (header.flags & flag::kControl) == 0 || !reply) {
            LeaveLater();
            return false;
        }
        answered = true;
        said = *reply;
        // The channel is in the middle of its parse: it can't be taken apart before that ends.
        hub_.loop().Post([alive = hub_.alive_, &hub = hub_, this] {
            if (*alive && hub.Knows(this)) {
                hub.Introduce(*this);
            }
        });
        return false;
    }
    bool OnBody(Bytes, bool) override { return false; }
    void OnBroken(bool, const char*, Bytes) override { LeaveLater(); }

    int TakeDescriptor() { return std::exchange(descriptor_, -1); }
    net::Stream::Kind kind() const { return kind_; }

    bool answered = false;
    PidReply said;
    int64_t peer_pid = 0;  // of a Unix peer, from the kernel; 0: unknown

private:
    void ReadCredentials() {
        ucred peer{};
        socklen_t size = sizeof(peer);
        if (kind_ == net::Stream::Kind::kPipe &&
            getsockopt(descriptor_, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
            peer_pid = peer.pid;
        }
    }
    void LeaveLater() {
        hub_.loop().Post([alive = hub_.alive_, &hub = hub_, this] {
            if (*alive && hub.Knows(this)) {
                hub.Drop(*this);
            }
        });
    }

    SocketHub& hub_;
    const net::Stream::Kind kind_;
    int descriptor_;
    net::Timer limit_;
    Channel channel_;
};

Result<std::unique_ptr<SocketHub>> SocketHub::Open(Loop& main, const std::string& dsn,
                                                   const HubOptions& options) {
    Result<net::Address> address = net::ParseAddress(dsn);
    if (!address) {
        return Forward(address, "relay " + dsn);
    }
    net::ListenOptions listen;
    if (address->kind == net::Address::Kind::kUnix) {
        listen.unix_mode = 0600;
        listen.unix_owner = options.owner;
    }
    auto listener = net::Listener::Bind(main, *address, listen);
    if (!listener) {
        return Forward(listener, "relay");
    }
    return std::unique_ptr<SocketHub>(new SocketHub(main, std::move(*listener), options));
}

SocketHub::SocketHub(Loop& main, std::unique_ptr<net::Listener> listener, const HubOptions& options)
    : LoopBound(main), options_(options), listener_(std::move(listener)) {
    listener_->Accept(
        [this](int descriptor, net::Stream::Kind kind) {
            if (guests_.size() >= kMostGuests) {
                close(descriptor);
                return;
            }
            guests_.push_back(std::make_unique<Guest>(*this, descriptor, kind));
        },
        [](const std::string&) {});
}

SocketHub::~SocketHub() { *alive_ = false; }

bool SocketHub::Knows(const Guest* guest) const {
    return std::any_of(guests_.begin(), guests_.end(),
                       [guest](const auto& one) { return one.get() == guest; });
}

void SocketHub::Expect(int64_t pid, Loop& home, Callback<void(Connected)> connected) {
    loop_.Post([alive = alive_, this, pid, &home, connected = std::move(connected)]() mutable {
        if (!*alive) {
            return;
        }
        expected_[pid] = Expected{&home, std::move(connected)};
        // It may have connected before we knew its pid.
        for (auto& guest : guests_) {
            if (guest->answered && Match(*guest)) {
                Drop(*guest);
                return;
            }
        }
    });
}

void SocketHub::Forget(int64_t pid) {
    loop_.Post([alive = alive_, this, pid] {
        if (*alive) {
            expected_.erase(pid);
        }
    });
}

void SocketHub::Introduce(Guest& guest) {
    if (Match(guest)) {
        Drop(guest);
    }
    // Otherwise it waits: its spawn may not have been reported yet. Its limit ends the wait.
}

bool SocketHub::Match(Guest& guest) {
    // What the kernel says about a Unix peer stands above what the peer says about itself.
    bool tcp = guest.kind() == net::Stream::Kind::kTcp;
    int64_t pid = tcp ? guest.said.pid : guest.peer_pid;
    for (int hop = 0; pid > 1 && hop < kMaxAncestors; ++hop, pid = ParentOf(pid)) {
        auto found = expected_.find(pid);
        if (found != expected_.end()) {
            Expected expected = std::move(found->second);
            expected_.erase(found);
            Connected connected{guest.TakeDescriptor(), guest.kind(), guest.said};
            expected.home->Post(
                [call = std::move(expected.connected), connected]() mutable { call(connected); });
            return true;
        }
    }
    return false;
}

void SocketHub::Drop(Guest& guest) {
    std::erase_if(guests_, [&guest](const auto& one) { return one.get() == &guest; });
}

}  // namespace rr::relay
