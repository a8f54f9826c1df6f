#include "core/net/peer_text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace rr::net {

std::string PeerText(bool v6, const uint8_t* address, uint16_t port, uint32_t scope) {
    char number[INET6_ADDRSTRLEN] = "";
    inet_ntop(v6 ? AF_INET6 : AF_INET, address, number, sizeof(number));
    std::string text = v6 ? "[" : "";
    text += number;
    if (scope != 0) {
        text += "%" + std::to_string(scope);
    }
    text += v6 ? "]:" : ":";
    return text += std::to_string(port);
}

bool ReadPort(std::string_view text, uint16_t& port) {
    if (text.empty() || (text.size() > 1 && text[0] == '0')) {
        return false;
    }
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace rr::net
