#include "plugins/http/debug_rules.hpp"

#include <algorithm>

#include "core/config/section.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/cookies.hpp"
#include "plugins/http/head.hpp"

namespace rr::http {

namespace {

using config::Section;

constexpr Bytes kUnixPeer = "@";
constexpr Bytes kUnix = "unix";
constexpr Bytes kForwarded = "Forwarded";
constexpr Bytes kForwardedOther = "X-Forwarded-";
constexpr Bytes kNo[] = {"", "0", "false", "off", "no"};
constexpr Bytes kClientBy[] = {kForwarded, "X-Forwarded-For", "X-Real-Ip", "True-Client-Ip",
                               "Cf-Connecting-Ip"};
// Whoever sits in a debugger does not look at the clock.
constexpr Duration kPatience = std::chrono::hours(1);

bool IsYes(Bytes value) {
    return std::none_of(std::begin(kNo), std::end(kNo),
                        [value](Bytes no) { return EqualsIgnoreCase(value, no); });
}

// Asks `each` about all that stands between the marks, also where nothing stands, until it says no.
template <class Each>
bool EveryItem(Bytes text, char mark, Each each) {
    for (;;) {
        size_t end = text.find(mark);
        if (!each(TrimBlanks(text.substr(0, end)))) {
            return false;
        }
        if (end == Bytes::npos) {
            return true;
        }
        text.remove_prefix(end + 1);
    }
}

Bytes Unquoted(Bytes text) {
    bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return quoted ? text.substr(1, text.size() - 2) : text;
}

// `192.0.2.60`, `2001:db8::1`, both with a port, in brackets, in quotes.
std::optional<net::IpAddress> ReadAddress(Bytes text) {
    text = Unquoted(text);
    if (auto ip = net::ParseIp(text)) {
        return ip;
    }
    if (text.starts_with('[') && text.ends_with(']')) {
        return net::ParseIp(text.substr(1, text.size() - 2));
    }
    Bytes host;
    return PeerHost(text, host) ? net::ParseIp(host) : std::nullopt;
}

// Finds the client in `for=192.0.2.60;proto=https`. False: none is named, or one that is not trusted.
template <class Trusted>
bool TrustsElement(Bytes element, Trusted trusted) {
    bool named = false;
    return EveryItem(element, ';',
                     [&named, trusted](Bytes pair) {
                         size_t equals = std::min(pair.find('='), pair.size());
                         if (!EqualsIgnoreCase(TrimBlanks(pair.substr(0, equals)), "for")) {
                             return true;
                         }
                         named = true;
                         return trusted(TrimBlanks(pair.substr(std::min(equals + 1, pair.size()))));
                     }) &&
           named;
}

void ReadTrusted(const Section& s, DebugRules& c) {
    std::vector<std::string> list = s.List("trusted");
    if (!s.Has("trusted")) {
        list = {"127.0.0.0/8", "::1/128"};
    } else if (list.empty()) {
        s.Problem("trusted", "empty: nobody could ask for the debugger");
    }
    for (const std::string& text : list) {
        c.trusted_text.append(c.trusted_text.empty() ? "" : ", ").append(text);
        if (text == kUnix) {
            c.trusts_unix = true;
        } else if (auto subnet = net::ParseSubnet(text)) {
            c.trusted.push_back(*subnet);
        } else {
            s.Problem("trusted", "neither an address, a network nor unix: " + text);
        }
    }
}

}  // namespace

bool DebugRules::Asks(const RequestHead& head) const {
    CookieJar jar;
    for (const HeaderField& field : head.fields) {
        if (!header.empty() && EqualsIgnoreCase(field.name, header) && IsYes(field.value)) {
            return true;
        }
        if (!cookie.empty() && field.id == HeaderId::kCookie &&
            field.value.find(cookie) != Bytes::npos) {
            jar.Add(field.value);
        }
    }
    for (size_t i = 0; i < jar.size(); ++i) {
        if (jar.name(i) == cookie) {
            return IsYes(TrimBlanks(jar.value(i)));
        }
    }
    return false;
}

bool DebugRules::Trusts(const RequestHead& head, Bytes peer, Bytes sender, bool gateway) const {
    bool named = peer != sender;
    if (!named && gateway) {
        return false;  // it does not say for whom it speaks
    }
    // Who may connect to a Unix socket is said by its file.
    return TrustsPeer(peer, trusts_unix) && (!named || TrustsPeer(sender, true)) &&
           TrustsHeaders(head);
}

bool DebugRules::Trusts(Bytes address) const {
    auto ip = net::ParseIp(address);
    return ip && net::Contains(trusted, *ip);
}

bool DebugRules::TrustsPeer(Bytes peer, bool unix_too) const {
    if (peer == kUnixPeer) {
        return unix_too;
    }
    Bytes host;
    return PeerHost(peer, host) && Trusts(host);
}

bool DebugRules::TrustsHeaders(const RequestHead& head) const {
    bool named = false;
    bool proxied = false;
    for (const HeaderField& field : head.fields) {
        auto is_name = [&field](const std::string& name) {
            return EqualsIgnoreCase(field.name, name);
        };
        if (std::any_of(client_by.begin(), client_by.end(), is_name)) {
            named = true;
            if (!TrustsClients(field.value, EqualsIgnoreCase(field.name, kForwarded))) {
                return false;
            }
        } else {
            proxied =
                proxied || EqualsIgnoreCase(field.name, "Via") ||
                EqualsIgnoreCase(field.name.substr(0, kForwardedOther.size()), kForwardedOther);
        }
    }
    return named || !proxied;  // a proxy that does not say for whom it speaks
}

bool DebugRules::TrustsClients(Bytes list, bool pairs) const {
    auto trusted_one = [this](Bytes text) {
        auto ip = ReadAddress(text);
        return ip && net::Contains(trusted, *ip);
    };
    return EveryItem(list, ',', [pairs, &trusted_one](Bytes item) {
        return pairs ? TrustsElement(item, trusted_one) : trusted_one(item);
    });
}

std::optional<DebugRules> ParseDebugRules(const Section& http) {
    Section s = http.Sub("debug");
    DebugRules c;
    c.header = s.String("header", "X-Debug");
    c.cookie = s.String("cookie", "");
    for (const char* key : {"header", "cookie"}) {
        const std::string& name = key == std::string_view("header") ? c.header : c.cookie;
        if (!name.empty() && !IsToken(name)) {
            s.Problem(key, "no name of a " + std::string(key) + ": " + name);
        }
    }
    ReadTrusted(s, c);
    c.client_by.assign(std::begin(kClientBy), std::end(kClientBy));
    pool::PoolConfig defaults;
    defaults.num_workers = 1;
    defaults.allocate_timeout = kPatience;
    defaults.debug = true;
    c.pool = pool::ParsePoolConfig(s.Sub("pool"), defaults);
    c.pool.debug_workers = c.pool.num_workers;
    if (!s.present()) {
        if (http.Has("debug")) {
            http.Warning("debug", "empty: there is no debug pool; name the header, or the cookie");
        }
        return std::nullopt;
    }
    if (c.header.empty() && c.cookie.empty()) {
        s.Problem("", "neither header nor cookie: nobody could ask for the debugger");
    }
    for (std::string& name : http.List("trusted_headers")) {  // of proxy_ip_parser
        c.client_by.push_back(std::move(name));
    }
    return c;
}

}  // namespace rr::http
