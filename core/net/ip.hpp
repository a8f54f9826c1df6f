// IP addresses as numbers, and networks of them: whom to trust, whom to leave alone.
//
// Thread: pure functions and values. Texts come from strangers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rr::net {

// An IPv4 address stands as ::ffff:a.b.c.d, so that it is equal to its mapped form.
struct IpAddress {
    std::array<uint8_t, 16> bytes{};

    bool v4() const;
    // Keeps the first `bits` of 128.
    void Mask(int bits);
    bool operator==(const IpAddress&) const = default;
};

// `203.0.113.7`, `2001:db8::1`, `fe80::1%2`; a zone is dropped. Nothing around it, no port.
std::optional<IpAddress> ParseIp(std::string_view text);

struct Subnet {
    IpAddress address;
    int bits = 0;  // of 128

    // `::/0` holds no IPv4 address, `0.0.0.0/0` all of them.
    bool Contains(const IpAddress& ip) const;
};

// `10.0.0.0/8`, `2001:db8::/32`, or a single address. Bits behind the mask are ignored.
std::optional<Subnet> ParseSubnet(std::string_view text);

using Subnets = std::vector<Subnet>;

bool Contains(const Subnets& subnets, const IpAddress& ip);

}  // namespace rr::net
