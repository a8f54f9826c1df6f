// What binding a listener and binding a UDP socket have in common.
//
// Thread: pure functions; for core/net only.
#pragma once

#include <sys/socket.h>

#include "core/base/result.hpp"
#include "core/net/address.hpp"

namespace rr::net {

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = 0;

    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// address: resolved.
Endpoint ToEndpoint(const Address& address);

// Replaces the port by the one that the kernel chose.
void ReadBack(int descriptor, Address& address);

// kExists, kDenied or kIo, with the address in the text.
tl::unexpected<Error> BindFailed(const Address& address, const char* what, int number);

}  // namespace rr::net
