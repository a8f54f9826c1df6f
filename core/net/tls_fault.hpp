// What OpenSSL's error codes mean to a person who looks for the reason of a failed handshake.
#pragma once

#include <string>

namespace rr::net {

// code: of OpenSSL's error queue. verify_result: of the client's certificate. first: nothing of the
// client's was understood yet.
std::string TlsFault(unsigned long code, long verify_result, bool first);

}  // namespace rr::net
