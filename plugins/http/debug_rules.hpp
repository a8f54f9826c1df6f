// DebugRules: which requests go to the debug pool (`http.debug`), where a debugger stops nobody else.
//
// Somebody asks for it with a header or a cookie, and is heard if everybody on the way is trusted:
//
//   sender   the connection's other end: a client, or a proxy or gateway in front
//   peer     whom that names by a PROXY header or REMOTE_ADDR; else the same
//   headers  whom proxies name (X-Forwarded-For ...), every entry. Anybody can write them: they take
//            trust away and never give it.
//
// Thread: constant after ParseDebugRules. Texts come from strangers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/net/ip.hpp"
#include "core/pool/config.hpp"

namespace rr::config {
class Section;
}

namespace rr::http {

struct RequestHead;

struct DebugRules {
    std::string header;  // empty: none
    std::string cookie;  // empty: none
    net::Subnets trusted;
    bool trusts_unix = false;            // clients on Unix sockets, of whom no address is known
    std::string trusted_text;            // both, for people
    std::vector<std::string> client_by;  // headers in which proxies name their client
    pool::PoolConfig pool;

    // The header or the cookie is there and says neither "", 0, false, off nor no.
    bool Asks(const RequestHead& head) const;
    // Everybody on the way is trusted. peer, sender: `127.0.0.1:40000`, `@`. gateway: the sender
    // never speaks for itself.
    bool Trusts(const RequestHead& head, Bytes peer, Bytes sender, bool gateway) const;
    // `127.0.0.1`
    bool Trusts(Bytes address) const;

private:
    bool TrustsPeer(Bytes peer, bool unix_too) const;
    bool TrustsHeaders(const RequestHead& head) const;
    // Of one header. pairs: as in Forwarded.
    bool TrustsClients(Bytes list, bool pairs) const;
};

// Reads `http.debug`; problems are reported through the section. Nothing: it is not there.
std::optional<DebugRules> ParseDebugRules(const config::Section& http);

}  // namespace rr::http
