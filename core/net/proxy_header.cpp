#include "core/net/proxy_header.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string_view>

#include "core/net/peer_text.hpp"

namespace rr::net {
namespace {

using namespace std::string_view_literals;
using Status = ProxyHeader::Status;

constexpr std::string_view kText = "PROXY ";
constexpr std::string_view kBinary = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr size_t kLongestLine = 107;  // line end included
constexpr size_t kFixed = 16;         // signature, version and command, family, length

ProxyHeader NeedMore() { return {}; }

ProxyHeader Invalid(const char* fault) {
    ProxyHeader h;
    h.status = Status::kInvalid;
    h.fault = fault;
    return h;
}

ProxyHeader Complete(size_t size, std::string peer = "") {
    ProxyHeader h;
    h.status = Status::kComplete;
    h.size = size;
    h.peer = std::move(peer);
    return h;
}

bool SameStart(std::string_view in, std::string_view signature) {
    size_t size = std::min(in.size(), signature.size());
    return in.substr(0, size) == signature.substr(0, size);
}

// ---- version 1

// Takes the text up to the next blank, and the blank; false if there is none.
bool TakeWord(std::string_view& rest, std::string_view& word) {
    size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) {
        return false;
    }
    word = rest.substr(0, blank);
    rest.remove_prefix(blank + 1);
    return true;
}

// out: 16 bytes.
bool ReadAddress(std::string_view word, int family, uint8_t* out) {
    char text[INET6_ADDRSTRLEN] = {};
    if (word.size() >= sizeof(text) || word.find('\0') != std::string_view::npos) {
        return false;
    }
    word.copy(text, word.size());
    return inet_pton(family, text, out) == 1;
}

ProxyHeader ReadLine(std::string_view in) {
    size_t end = in.substr(0, kLongestLine).find("\r\n");
    if (end == std::string_view::npos) {
        return in.size() < kLongestLine ? NeedMore() : Invalid("the PROXY line does not end");
    }
    std::string_view rest = in.substr(kText.size(), end - kText.size());
    size_t size = end + 2;
    if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) {
        return Complete(size);
    }
    std::string_view protocol;
    if (!TakeWord(rest, protocol) || (protocol != "TCP4" && protocol != "TCP6")) {
        return Invalid("the PROXY line names no known protocol");
    }
    bool v6 = protocol == "TCP6";
    int family = v6 ? AF_INET6 : AF_INET;
    std::string_view source;
    std::string_view destination;
    uint8_t client[16];
    uint8_t server[16];
    if (!TakeWord(rest, source) || !TakeWord(rest, destination) ||
        !ReadAddress(source, family, client) || !ReadAddress(destination, family, server)) {
        return Invalid("the PROXY line has a bad address");
    }
    std::string_view port;
    uint16_t from = 0;
    uint16_t to = 0;
    if (!TakeWord(rest, port) || !ReadPort(port, from) || !ReadPort(rest, to)) {
        return Invalid("the PROXY line has a bad port");
    }
    return Complete(size, PeerText(v6, client, from));
}

// ---- version 2

uint16_t ReadBig16(const uint8_t* in) { return static_cast<uint16_t>(in[0] << 8 | in[1]); }

ProxyHeader ReadBinary(std::string_view in) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(in.data());
    if (in.size() > kBinary.size() && bytes[12] >> 4 != 2) {
        return Invalid("the PROXY header has an unknown version");
    }
    if (in.size() > kBinary.size() && (bytes[12] & 15) > 1) {
        return Invalid("the PROXY header has an unknown command");
    }
    if (in.size() < kFixed) {
        return NeedMore();
    }
    bool local = (bytes[12] & 15) == 0;
    int family = bytes[13] >> 4;
    int protocol = bytes[13] & 15;
    size_t length = ReadBig16(bytes + 14);
    size_t size = kFixed + length;
    if (size > ProxyHeader::kLargest) {
        return Invalid("the PROXY header is too long");
    }
    if (!local && (family > 3 || protocol > 2)) {
        return Invalid("the PROXY header has an unknown family or protocol");
    }
    constexpr size_t kAddresses[] = {0, 4 + 4 + 2 + 2, 16 + 16 + 2 + 2, 108 + 108};
    bool tells = !local && family != 0 && protocol != 0;
    if (tells && length < kAddresses[family]) {
        return Invalid("the PROXY header is shorter than its addresses");
    }
    if (in.size() < size) {
        return NeedMore();
    }
    if (!tells || family == 3) {
        return Complete(size);
    }
    bool v6 = family == 2;
    const uint8_t* source = bytes + kFixed;
    return Complete(size, PeerText(v6, source, ReadBig16(source + (v6 ? 32 : 8))));
}

}  // namespace

ProxyHeader ReadProxyHeader(Bytes in) {
    if (SameStart(in, kText)) {
        return in.size() < kText.size() ? NeedMore() : ReadLine(in);
    }
    if (SameStart(in, kBinary)) {
        return ReadBinary(in);
    }
    return Invalid("no PROXY header");
}

}  // namespace rr::net
