// What OpenSSL's error codes mean to a person who looks for the reason of a failed handshake.
#pragma once

#include <string>
#include <string_view>

namespace rr::net {

// peer: `client` or `server`. code: of OpenSSL's error queue. certificate: what is wrong with the
// peer's (CertificateFault). first: nothing of the peer's was understood yet.
std::string TlsFault(std::string_view peer, unsigned long code, const std::string& certificate,
                     bool first);

}  // namespace rr::net
