#include "core/net/bound.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "core/base/process.hpp"

namespace rr::net {

Endpoint ToEndpoint(const Address& address) {
    Endpoint e;
    if (address.kind == Address::Kind::kUnix) {
        auto* un = reinterpret_cast<sockaddr_un*>(&e.storage);
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, address.path.c_str(), address.path.size() + 1);
        e.size = sizeof(sockaddr_un);
    } else if (address.host.find(':') != std::string::npos) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&e.storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address.port);
        inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
        e.size = sizeof(sockaddr_in6);
    } else {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&e.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address.port);
        v4->sin_addr.s_addr = htonl(INADDR_ANY);
        if (!address.host.empty()) {
            inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
        }
        e.size = sizeof(sockaddr_in);
    }
    e.family = e.storage.ss_family;
    return e;
}

tl::unexpected<Error> BindFailed(const Address& address, const char* what, int number) {
    std::string text = address.ToString() + ": " + what + ": " + process::ErrorText(number);
    if (number == EADDRINUSE) {
        return Fail(Errc::kExists, text + "; another program listens there");
    }
    if (number == EACCES) {
        return Fail(Errc::kDenied, text);
    }
    return Fail(Errc::kIo, text);
}

void ReadBack(int descriptor, Address& address) {
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    if (address.kind == Address::Kind::kUnix ||
        getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
        return;
    }
    address.port = bound.ss_family == AF_INET6
                       ? ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port)
                       : ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace rr::net
