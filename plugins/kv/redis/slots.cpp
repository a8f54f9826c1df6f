#include "plugins/kv/redis/slots.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace rr::kv::redis {
namespace {

// CRC-16/XMODEM, as the specification of the cluster has it.
constexpr std::array<uint16_t, 256> MakeTable() {
    std::array<uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned value = byte << 8;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value << 1) ^ ((value & 0x8000) != 0 ? 0x1021u : 0u);
        }
        table[byte] = static_cast<uint16_t>(value);
    }
    return table;
}
constexpr std::array<uint16_t, 256> kTable = MakeTable();

uint16_t Crc16(std::string_view bytes) {
    uint16_t value = 0;
    for (char c : bytes) {
        value = static_cast<uint16_t>(
            (value << 8) ^ kTable[((value >> 8) ^ static_cast<unsigned char>(c)) & 0xff]);
    }
    return value;
}

template <class T>
std::optional<T> Number(std::string_view text) {
    T value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

// `?` is what a node says that does not know its own name.
net::Address At(std::string_view host, uint16_t port, const net::Address& from) {
    net::Address address;
    address.host = host.empty() || host == "?" ? from.host : std::string(host);
    address.port = port;
    return address;
}

tl::unexpected<Error> BadSlots() { return Fail(Errc::kProtocol, "bad answer to CLUSTER SLOTS"); }

bool IsSlot(const Reply& reply) {
    return reply.kind == Reply::Kind::kInteger && reply.integer >= 0 &&
           reply.integer < static_cast<int64_t>(kSlots);
}

bool IsNode(const Reply& reply) {
    return reply.kind == Reply::Kind::kArray && reply.elements.size() >= 2 &&
           (reply.elements[0].kind == Reply::Kind::kString ||
            reply.elements[0].kind == Reply::Kind::kNil) &&
           reply.elements[1].kind == Reply::Kind::kInteger && reply.elements[1].integer > 0 &&
           reply.elements[1].integer <= 65535;
}

}  // namespace

uint16_t SlotOf(std::string_view key) {
    const size_t open = key.find('{');
    if (open != std::string_view::npos) {
        const size_t close = key.find('}', open + 1);
        if (close != std::string_view::npos && close != open + 1) {
            key = key.substr(open + 1, close - open - 1);
        }
    }
    return Crc16(key) % kSlots;
}

//   *N  *3+  :first :last  *2+ host :port [id ...]  (the master)  *2+ host :port ...  (replicas)
Result<std::vector<SlotRange>> ParseSlots(const Reply& reply, const net::Address& from) {
    if (reply.error()) {
        return Fail(Errc::kProtocol, reply.text);
    }
    if (reply.kind != Reply::Kind::kArray || reply.elements.size() > kSlots) {
        return BadSlots();
    }
    std::vector<SlotRange> ranges;
    for (const Reply& part : reply.elements) {
        if (part.kind != Reply::Kind::kArray || part.elements.size() < 3 ||
            !IsSlot(part.elements[0]) || !IsSlot(part.elements[1]) ||
            part.elements[0].integer > part.elements[1].integer) {
            return BadSlots();
        }
        SlotRange range;
        range.first = static_cast<uint16_t>(part.elements[0].integer);
        range.last = static_cast<uint16_t>(part.elements[1].integer);
        for (size_t i = 2; i < part.elements.size(); ++i) {
            const Reply& node = part.elements[i];
            if (!IsNode(node)) {
                return BadSlots();
            }
            range.nodes.push_back(
                At(node.elements[0].text, static_cast<uint16_t>(node.elements[1].integer), from));
        }
        ranges.push_back(std::move(range));
    }
    return ranges;
}

std::optional<Redirect> ParseRedirect(std::string_view text, const net::Address& from) {
    Redirect redirect;
    if (text.starts_with("MOVED ")) {
        text.remove_prefix(6);
    } else if (text.starts_with("ASK ")) {
        redirect.ask = true;
        text.remove_prefix(4);
    } else {
        return std::nullopt;
    }
    const size_t space = text.find(' ');
    const size_t colon = text.rfind(':');
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space) {
        return std::nullopt;
    }
    const auto slot = Number<uint16_t>(text.substr(0, space));
    const auto port = Number<uint16_t>(text.substr(colon + 1));
    if (!slot || *slot >= kSlots || !port || *port == 0) {
        return std::nullopt;
    }
    redirect.slot = *slot;
    redirect.node = At(text.substr(space + 1, colon - space - 1), *port, from);
    return redirect;
}

Result<net::Address> ParseMaster(const Reply& reply) {
    if (reply.error()) {
        return Fail(Errc::kDenied, reply.text);
    }
    if (reply.kind == Reply::Kind::kNil) {
        return Fail(Errc::kNotFound, "the sentinel knows no such master");
    }
    if (reply.kind != Reply::Kind::kArray || reply.elements.size() != 2 ||
        reply.elements[0].text.empty()) {
        return Fail(Errc::kProtocol, "bad answer to SENTINEL get-master-addr-by-name");
    }
    const auto port = Number<uint16_t>(reply.elements[1].text);
    if (!port || *port == 0) {
        return Fail(Errc::kProtocol, "bad answer to SENTINEL get-master-addr-by-name");
    }
    net::Address address;
    address.host = reply.elements[0].text;
    address.port = *port;
    return address;
}

}  // namespace rr::kv::redis
