// Addresses of peers as text: what logs, `remote_addr` and tcp.Write show and take.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rr::net {

// `203.0.113.7:40000`, `[2001:db8::1]:40000`, `[fe80::1%2]:40000`. address: 4 or 16 bytes.
std::string PeerText(bool v6, const uint8_t* address, uint16_t port, uint32_t scope = 0);

// 0 to 65535 in decimal, without sign and leading zeros.
bool ReadPort(std::string_view text, uint16_t& port);

}  // namespace rr::net
