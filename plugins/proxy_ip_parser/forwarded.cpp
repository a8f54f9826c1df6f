#include "plugins/proxy_ip_parser/forwarded.hpp"

#include <algorithm>

#include "core/api/http_text.hpp"
#include "core/net/peer_text.hpp"

namespace rr::proxy_ip_parser {

using http_text::Equal;
using http_text::Trim;

namespace {

// Cuts what stands before the next `mark` off `text`. Quotes mean nothing: no address has a mark in
// it, and one quote of the client's would hide what the proxy has added behind it.
bool Next(std::string_view& text, char mark, std::string_view& item) {
    if (text.empty()) {
        return false;
    }
    const size_t end = std::min(text.find(mark), text.size());
    item = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return true;
}

std::string_view Unquoted(std::string_view text) {
    const size_t begin = text.find_first_not_of('"');
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of('"') - begin + 1);
}

// `:4711`, or `:_hidden` (RFC 7239).
bool IsPort(std::string_view text) {
    uint16_t port = 0;
    return text.size() > 1 && text[0] == ':' &&
           (text[1] == '_' || net::ReadPort(text.substr(1), port));
}

// The value of `for`; false: the element has none.
bool FindFor(std::string_view element, std::string_view& node) {
    for (std::string_view pair; Next(element, ';', pair);) {
        const size_t equals = pair.find('=');
        if (equals != std::string_view::npos && Equal(Trim(pair.substr(0, equals)), "for")) {
            node = Trim(pair.substr(equals + 1));
            node = node.substr(0, node.find_first_of("| \t"));  // as RoadRunner
            return true;
        }
    }
    return false;
}

}  // namespace

bool ReadNode(std::string_view node, std::string_view& text, net::IpAddress& ip) {
    node = Trim(Unquoted(node));
    text = node;
    if (!node.empty() && node.front() == '[') {
        const size_t close = node.find(']');
        if (close == std::string_view::npos ||
            (close + 1 != node.size() && !IsPort(node.substr(close + 1)))) {
            return false;
        }
        text = node.substr(1, close - 1);
        if (text.find(':') == std::string_view::npos) {
            return false;
        }
    } else if (const size_t colon = node.find(':');
               colon != std::string_view::npos && colon == node.rfind(':')) {
        if (!IsPort(node.substr(colon))) {
            return false;
        }
        text = node.substr(0, colon);
    }
    // Zones mean something on the machine that wrote them only.
    std::optional<net::IpAddress> found =
        text.find('%') == std::string_view::npos ? net::ParseIp(text) : std::nullopt;
    if (!found) {
        return false;
    }
    ip = *found;
    return true;
}

void Chooser::AddForwarded(std::string_view line) {
    for (std::string_view element; Next(line, ',', element);) {
        std::string_view node;
        if (FindFor(element, node) || (!element.empty() && entry_ == Entry::kUntrusted)) {
            Add(node);
        }
    }
}

void Chooser::AddList(std::string_view line) {
    for (std::string_view item; Next(line, ',', item);) {
        if (!item.empty()) {
            Add(item);
        }
    }
}

// Entries come from left to right; `address_` is right for those that have come.
void Chooser::Add(std::string_view node) {
    std::string_view text;
    net::IpAddress ip;
    const bool valid = ReadNode(node, text, ip);
    switch (entry_) {
        case Entry::kFirst:
            if (!decided_ && valid) {
                address_ = text;
            }
            decided_ = true;
            break;
        case Entry::kLast:
            if (valid) {
                address_ = text;
            }
            break;
        case Entry::kUntrusted:
            if (!valid) {
                address_ = {};  // nothing on its left can be believed
            } else if (address_.empty() || !Contains(trusted_, ip)) {
                address_ = text;
            }
            break;
    }
}

}  // namespace rr::proxy_ip_parser
