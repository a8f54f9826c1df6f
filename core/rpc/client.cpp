#include "core/rpc/client.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/base/process.hpp"
#include "core/net/address.hpp"
#include "core/rpc/answer.hpp"

namespace rr::rpc {
namespace {

constexpr size_t kPiece = 64 << 10;

// Milliseconds for poll(), rounded up so that a wait is never a busy one.
int Left(Deadline deadline) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

// Waits until the descriptor is ready for `events`.
Result<void> Await(int descriptor, short events, const std::vector<int>& interrupts,
                   Deadline deadline) {
    std::vector<pollfd> watched{{descriptor, events, 0}};
    for (int interrupt : interrupts) {
        watched.push_back({interrupt, POLLIN, 0});
    }
    while (true) {
        int ready = poll(watched.data(), watched.size(), Left(deadline));
        if (ready < 0 && errno != EINTR) {
            return Fail(Errc::kIo, process::ErrorText(errno));
        }
        if (ready > 0) {
            if (watched[0].revents != 0) {
                return {};
            }
            return Fail(Errc::kCancelled, "interrupted");
        }
        if (Clock::now() >= deadline) {
            return Fail(Errc::kTimeout, "no answer in time");
        }
    }
}

// An address that connect() takes.
struct Target {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_UNIX;
};

Result<Target> Locate(std::string_view text) {
    Result<net::Address> address = net::ParseAddress(text);
    if (!address) {
        return Forward(address);
    }
    Target target;
    if (address->kind == net::Address::Kind::kUnix) {
        sockaddr_un named{};
        named.sun_family = AF_UNIX;
        std::memcpy(named.sun_path, address->path.data(), address->path.size());
        std::memcpy(&target.storage, &named, sizeof(named));
        target.size = sizeof(named);
        return target;
    }
    // A server on every address is reached on this machine's own.
    if (address->host.empty() || address->host == "0.0.0.0") {
        address->host = "127.0.0.1";
    }
    Result<net::Address> resolved = net::Resolve(std::move(*address));
    if (!resolved) {
        return Forward(resolved);
    }
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::string port = std::to_string(resolved->port);
    if (int status = getaddrinfo(resolved->host.c_str(), port.c_str(), &hints, &found)) {
        return Fail(Errc::kNotFound, resolved->host + ": " + gai_strerror(status));
    }
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    std::memcpy(&target.storage, found->ai_addr, found->ai_addrlen);
    target.size = found->ai_addrlen;
    target.family = found->ai_family;
    return target;
}

Errc CodeOf(int number) {
    switch (number) {
        case ECONNREFUSED:
        case ENOENT: return Errc::kClosed;
        case ETIMEDOUT: return Errc::kTimeout;
        case EACCES:
        case EPERM: return Errc::kDenied;
        default: return Errc::kIo;
    }
}

tl::unexpected<Error> SystemFailure(int number) {
    return Fail(CodeOf(number), process::ErrorText(number));
}

Result<void> Establish(int descriptor, const Target& target, const ClientOptions& options) {
    const auto* address = reinterpret_cast<const sockaddr*>(&target.storage);
    if (connect(descriptor, address, target.size) == 0) {
        return {};
    }
    // A unix socket whose queue is full says EAGAIN: nobody accepts.
    if (errno != EINPROGRESS) {
        return errno == EAGAIN ? Result<void>(Fail(Errc::kTimeout, "the server does not accept"))
                               : Result<void>(SystemFailure(errno));
    }
    auto ready = Await(descriptor, POLLOUT, options.interrupts, Clock::now() + options.connect);
    if (!ready) {
        if (ready.error().code == Errc::kTimeout) {
            return Fail(Errc::kTimeout, "the connection does not come about");
        }
        return ready;
    }
    int number = 0;
    socklen_t size = sizeof(number);
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) {
        return SystemFailure(number);
    }
    return {};
}

}  // namespace

Client::Client(int descriptor, ClientOptions options)
    : descriptor_(descriptor), options_(std::move(options)) {}

Client::Client(Client&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      options_(std::move(other.options_)),
      received_(std::move(other.received_)),
      next_(other.next_) {}

Client& Client::operator=(Client&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(options_, other.options_);
    std::swap(received_, other.received_);
    std::swap(next_, other.next_);
    return *this;
}

Client::~Client() {
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

Result<Client> Client::Connect(std::string_view address, ClientOptions options) {
    Result<Target> target = Locate(address);
    if (!target) {
        return Forward(target);
    }
    int descriptor = socket(target->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return SystemFailure(errno);
    }
    Client client(descriptor, std::move(options));
    if (auto connected = Establish(descriptor, *target, client.options_); !connected) {
        return Forward(connected);
    }
    if (target->family != AF_UNIX) {
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return client;
}

Result<uint32_t> Client::Send(std::string_view method, Bytes json) {
    uint32_t number = next_++;
    std::string frame = EncodeCall(number, method, json);
    for (size_t at = 0; at < frame.size();) {
        ssize_t written = send(descriptor_, frame.data() + at, frame.size() - at, MSG_NOSIGNAL);
        if (written > 0) {
            at += static_cast<size_t>(written);
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET) {
            return Fail(Errc::kClosed, "the server closed the connection");
        }
        if (errno != EAGAIN && errno != EINTR) {
            return SystemFailure(errno);
        }
        // Half a call cannot be taken back: no interrupt here.
        auto ready = Await(descriptor_, POLLOUT, {}, Clock::now() + options_.answer);
        if (!ready) {
            return Forward(ready);
        }
    }
    return number;
}

Result<void> Client::Fill(Deadline deadline) {
    auto ready = Await(descriptor_, POLLIN, options_.interrupts, deadline);
    if (!ready) {
        return ready;
    }
    received_.Reserve(kPiece);
    ssize_t got = recv(descriptor_, received_.tail(), received_.room(), 0);
    if (got > 0) {
        received_.Commit(static_cast<size_t>(got));
        return {};
    }
    if (got == 0 || errno == ECONNRESET) {
        return Fail(Errc::kClosed, "the server closed the connection");
    }
    if (errno == EAGAIN || errno == EINTR) {
        return {};
    }
    return SystemFailure(errno);
}

Result<Client::Received> Client::Receive(Duration limit) {
    Deadline deadline = Clock::now() + limit;
    while (true) {
        Answer answer;
        AnswerScan scan = ScanAnswer(received_.view(), options_.max_answer, answer);
        if (scan.status == AnswerStatus::kBad) {
            return Fail(Errc::kProtocol,
                        std::string("what answers there is no RPC port: ") + scan.problem);
        }
        if (scan.status == AnswerStatus::kAnswer) {
            std::string body(answer.body);
            bool missing = answer.error && body.starts_with("rpc: can't find ");
            Received one{answer.number, body};
            if (answer.error) {
                one.body = Fail(missing ? Errc::kUnsupported : Errc::kInvalid, std::move(body));
            }
            received_.Consume(scan.size);
            return one;
        }
        if (auto filled = Fill(deadline); !filled) {
            return Forward(filled);
        }
    }
}

Result<std::string> Client::Call(std::string_view method, Bytes json) {
    Result<uint32_t> number = Send(method, json);
    if (!number) {
        return Forward(number);
    }
    Deadline deadline = Clock::now() + options_.answer;
    while (true) {
        Result<Received> received = Receive(deadline - Clock::now());
        if (!received) {
            return Forward(received);
        }
        // What a call that was given up is answered with is dropped.
        if (received->number == *number) {
            return std::move(received->body);
        }
    }
}

}  // namespace rr::rpc
