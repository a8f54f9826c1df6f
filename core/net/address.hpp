// Address: where to listen, as users write it: `host:port`, `:port`, `[::1]:port`, `tcp://host:port`,
// `unix://path`. `udp://host:port` is no address of a listener: who serves datagrams takes the scheme
// off and sets the kind.
//
// Thread: values. Resolve() may ask the system's resolver and block: main thread, at start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace rr::net {

struct Address {
    enum class Kind : uint8_t { kTcp, kUnix, kUdp };
    Kind kind = Kind::kTcp;
    std::string host;  // empty: every IPv4 address
    uint16_t port = 0;
    std::string path;  // of kUnix

    // As a user would write it: `tcp://127.0.0.1:8080`, `unix:///run/rr.sock`.
    std::string ToString() const;
};

// Fails with a text that says what is wrong, without the input.
Result<Address> ParseAddress(std::string_view text);

// A host name becomes a number; names with both kinds of address give the IPv4 one.
Result<Address> Resolve(Address address);

}  // namespace rr::net
