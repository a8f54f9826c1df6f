#include "core/net/ip.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rr::net {
namespace {

constexpr int kAllBits = 128;
constexpr int kMappedBits = 96;
constexpr uint8_t kMapped[kMappedBits / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsZone(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '.' || c == '_' || c == '-';
    });
}

// A number up to 255 without leading zeros. False: there is none at `at`.
bool TakeNumber(const char*& at, const char* end, uint8_t& out) {
    const auto digit = [&at, end](unsigned& value) {
        value = at == end ? 10U : static_cast<unsigned char>(*at) - unsigned{'0'};
        return value <= 9;
    };
    unsigned number = 0;
    unsigned next = 0;
    if (!digit(number)) {
        return false;
    }
    ++at;
    for (int i = 0; i < 2 && number > 0 && digit(next); ++i) {
        number = number * 10 + next;
        ++at;
    }
    out = static_cast<uint8_t>(number);
    return number <= 255;
}

// `203.0.113.7`: most texts are of this kind.
bool ParseDotted(std::string_view text, uint8_t* out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int part = 0; part < 4; ++part) {
        if (part > 0) {
            if (at == end || *at != '.') {
                return false;
            }
            ++at;
        }
        if (!TakeNumber(at, end, out[part])) {
            return false;
        }
    }
    return at == end;
}

bool SameStart(const uint8_t* a, const uint8_t* b, int bits) {
    const size_t whole = static_cast<size_t>(bits) / 8;
    if (std::memcmp(a, b, whole) != 0) {
        return false;
    }
    const int rest = bits % 8;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

bool IpAddress::v4() const { return std::memcmp(bytes.data(), kMapped, sizeof kMapped) == 0; }

void IpAddress::Mask(int bits) {
    for (int i = 0; i < 16; ++i) {
        const int kept = std::clamp(bits - 8 * i, 0, 8);
        bytes[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xff00 >> kept);
    }
}

std::optional<IpAddress> ParseIp(std::string_view text) {
    IpAddress ip;
    if (ParseDotted(text, ip.bytes.data() + sizeof kMapped)) {
        std::memcpy(ip.bytes.data(), kMapped, sizeof kMapped);
        return ip;
    }
    if (text.find(':') == std::string_view::npos) {
        return std::nullopt;
    }
    char terminated[INET6_ADDRSTRLEN] = {};
    const size_t zone = text.find('%');
    if (zone != std::string_view::npos) {
        if (!IsZone(text.substr(zone + 1))) {
            return std::nullopt;
        }
        text = text.substr(0, zone);
    }
    if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    text.copy(terminated, text.size());
    if (inet_pton(AF_INET6, terminated, ip.bytes.data()) != 1) {
        return std::nullopt;
    }
    return ip;
}

bool Subnet::Contains(const IpAddress& ip) const {
    return (bits >= kMappedBits || !ip.v4()) &&
           SameStart(address.bytes.data(), ip.bytes.data(), bits);
}

std::optional<Subnet> ParseSubnet(std::string_view text) {
    const size_t slash = text.find('/');
    std::optional<IpAddress> ip = ParseIp(text.substr(0, slash));
    if (!ip || text.find('%') != std::string_view::npos) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) {
        return Subnet{*ip, kAllBits};
    }
    const std::string_view number = text.substr(slash + 1);
    const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
    int bits = -1;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc() || end != number.data() + number.size() || bits < 0 ||
        bits > (dotted ? kAllBits - kMappedBits : kAllBits)) {
        return std::nullopt;
    }
    Subnet subnet{*ip, dotted ? bits + kMappedBits : bits};
    subnet.address.Mask(subnet.bits);
    return subnet;
}

bool Contains(const Subnets& subnets, const IpAddress& ip) {
    return std::any_of(subnets.begin(), subnets.end(),
                       [&ip](const Subnet& each) { return each.Contains(ip); });
}

}  // namespace rr::net
