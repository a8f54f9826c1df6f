#include "core/net/address.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <memory>

namespace rr::net {
namespace {

constexpr std::string_view kTcpScheme = "tcp://";
constexpr std::string_view kUnixScheme = "unix://";
constexpr std::string_view kUdpScheme = "udp://";

Result<uint16_t> ParsePort(std::string_view text) {
    unsigned port = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port > 65535) {
        return Fail(Errc::kInvalid, "the port must be a number from 0 to 65535");
    }
    return static_cast<uint16_t>(port);
}

}  // namespace

std::string Address::ToString() const {
    if (kind == Kind::kUnix) {
        return std::string(kUnixScheme) + path;
    }
    std::string shown = host.empty() ? "0.0.0.0" : host;
    if (shown.find(':') != std::string::npos) {
        shown = "[" + shown + "]";
    }
    return std::string(kind == Kind::kUdp ? kUdpScheme : kTcpScheme) + shown + ":" +
           std::to_string(port);
}

Result<Address> ParseAddress(std::string_view text) {
    Address address;
    if (text.starts_with(kUnixScheme)) {
        address.kind = Address::Kind::kUnix;
        address.path = text.substr(kUnixScheme.size());
        if (address.path.empty()) {
            return Fail(Errc::kInvalid, "the path behind unix:// is empty");
        }
        if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
            return Fail(Errc::kInvalid, "a socket path has at most " +
                                            std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                            " bytes");
        }
        return address;
    }
    if (text.starts_with(kTcpScheme)) {
        text.remove_prefix(kTcpScheme.size());
    } else if (text.starts_with(kUdpScheme)) {
        return Fail(Errc::kInvalid,
                    "only tcp:// and unix:// addresses are served here, no datagrams (udp://)");
    } else if (text.find("://") != std::string_view::npos) {
        return Fail(Errc::kInvalid, "only tcp:// and unix:// addresses are served");
    }
    size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return Fail(Errc::kInvalid, "expected host:port");
    }
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) {
            return Fail(Errc::kInvalid, "expected [IPv6 address]:port");
        }
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return Fail(Errc::kInvalid, "an IPv6 address stands in brackets: [::1]:8080");
    }
    Result<uint16_t> port = ParsePort(text.substr(colon + 1));
    if (!port) {
        return Forward(port);
    }
    address.host = host;
    address.port = *port;
    return address;
}

Result<Address> Resolve(Address address) {
    if (address.kind == Address::Kind::kUnix || address.host.empty()) {
        return address;
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int status = getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
    if (status != 0 && address.host == "localhost") {
        address.host = "127.0.0.1";  // means the same where nobody wrote it into /etc/hosts
        return address;
    }
    if (status != 0) {
        return Fail(Errc::kNotFound, address.host + ": " + gai_strerror(status));
    }
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    const addrinfo* chosen = found;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            chosen = one;
            break;
        }
    }
    char text[NI_MAXHOST];
    status = getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text, sizeof(text), nullptr, 0,
                         NI_NUMERICHOST);
    if (status != 0) {
        return Fail(Errc::kNotFound, address.host + ": " + gai_strerror(status));
    }
    address.host = text;
    return address;
}

}  // namespace rr::net
