// What proxies say about the client they speak for.
//
//   Forwarded: for=192.0.2.60;proto=https, for="[2001:db8::17]:4711"    RFC 7239
//   X-Forwarded-For: 192.0.2.60, 198.51.100.7                            and all other headers
//
// Each proxy adds an entry on the right: of those, only the ones that trusted proxies have added are
// true, the others are the client's own invention.
//
// Thread: pure. The texts come from strangers.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/net/ip.hpp"

namespace rr::proxy_ip_parser {

// The address in `192.0.2.60`, `192.0.2.60:80`, `[2001:db8::17]:4711`, `[2001:db8::17]`,
// `2001:db8::17`, without quotes around. False: there is none.
bool ReadNode(std::string_view node, std::string_view& text, net::IpAddress& ip);

// Which entry of a header is the client.
enum class Entry : uint8_t {
    kFirst,      // the first one, or none if that is no address: RoadRunner's
    kLast,       // the last one that is an address: what the nearest proxy has seen
    kUntrusted,  // from the right, the first one that is no trusted proxy
};

// Chooser: finds the client among the entries of all lines of one header.
//
// Owns: nothing; `address` is a view onto a line.
class Chooser {
public:
    Chooser(Entry entry, const net::Subnets& trusted) : entry_(entry), trusted_(trusted) {}

    void AddForwarded(std::string_view line);
    void AddList(std::string_view line);

    std::string_view address() const { return address_; }  // empty: none

private:
    void Add(std::string_view node);

    const Entry entry_;
    const net::Subnets& trusted_;
    bool decided_ = false;
    std::string_view address_;
};

}  // namespace rr::proxy_ip_parser
