#include "plugins/tcp/config.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/process.hpp"
#include "core/config/section.hpp"
#include "core/config/tls.hpp"

namespace rr::tcp {
namespace {

using config::Section;

constexpr std::string_view kUdp = "udp://";
constexpr int64_t kMostReadSize = 1024;  // MiB
constexpr int64_t kMostDatagrams = 1 << 20;
// What is left of a frame's 32 bit for the body.
constexpr uint64_t kLargestMessage = std::numeric_limits<uint32_t>::max() - (64U << 10);

void ReadAddress(const Section& s, ServerConfig& c) {
    c.addr = s.String("addr", "");
    if (c.addr.empty()) {
        s.Problem("addr", "empty address for the server: " + c.name);
        return;
    }
    c.udp = c.addr.starts_with(kUdp);
    std::string rest = c.udp ? c.addr.substr(kUdp.size()) : c.addr;
    bool twice = c.udp && rest.find("://") != std::string::npos;
    auto parsed = net::ParseAddress(rest);
    if (!parsed || twice) {
        std::string why = twice ? "one scheme is enough" : parsed.error().message;
        s.Problem("addr", why +
                              "; invalid Protocol ([tcp://]:6001, unix://file.sock, "
                              "udp://127.0.0.1:53), address: " +
                              c.addr);
        return;
    }
    c.address = *parsed;
    if (c.udp) {
        c.address.kind = net::Address::Kind::kUdp;
    }
}

// Keys of one kind of framing, where another one is set, are most likely a mistake.
void WarnOfUnused(const Section& s, std::string_view framing, std::string_view key) {
    if (s.Has(key)) {
        s.Warning(key, "has no effect with framing: " + std::string(framing));
    }
}

void ReadFraming(const Section& s, Framing& f) {
    using Kind = Framing::Kind;
    std::string kind = s.OneOf("framing", "delimiter", {"delimiter", "raw", "length", "fixed"});
    f.kind = kind == "raw"      ? Kind::kRaw
             : kind == "length" ? Kind::kLength
             : kind == "fixed"  ? Kind::kFixed
                                : Kind::kDelimiter;
    std::string delimiter = s.String("delimiter", f.delimiter);
    if (!delimiter.empty()) {
        f.delimiter = std::move(delimiter);
    }
    f.split = s.Bool("split", false);
    auto bytes = s.Integer("length_bytes", 4, 1, 8);
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
        s.Problem("length_bytes", "must be 1, 2, 4 or 8");
        bytes = 4;
    }
    f.length_bytes = static_cast<uint8_t>(bytes);
    f.little_endian = s.OneOf("endian", "big", {"big", "little"}) == "little";
    f.length_includes_header = s.Bool("length_includes_header", false);
    f.size = static_cast<uint32_t>(s.Integer("size", 0, 0, int64_t{kLargestMessage}));
    if (f.kind == Kind::kFixed && f.size == 0) {
        s.Problem("size", "missing: framing: fixed needs the size of a message in bytes");
    }
    for (std::string_view key : {"length_bytes", "endian", "length_includes_header"}) {
        if (f.kind != Kind::kLength) {
            WarnOfUnused(s, kind, key);
        }
    }
    if (f.kind != Kind::kFixed) {
        WarnOfUnused(s, kind, "size");
    }
    if (f.kind != Kind::kDelimiter) {
        WarnOfUnused(s, kind, "delimiter");
        WarnOfUnused(s, kind, "split");
    }
}

uint64_t ReadBytes(const Section& s, std::string_view key, uint64_t fallback) {
    int64_t size = s.Size(key, static_cast<int64_t>(fallback));
    if (size < 0) {
        s.Problem(key, "must not be negative");
        return fallback;
    }
    return static_cast<uint64_t>(size);
}

void ReadLimits(const Section& s, ServerConfig& c) {
    c.max_message_size = ReadBytes(s, "max_message_size", c.max_message_size);
    if (c.max_message_size == 0 || c.max_message_size > kLargestMessage) {
        c.max_message_size = kLargestMessage;
    }
    c.max_write_queue = ReadBytes(s, "max_write_queue", c.max_write_queue);
    c.max_connections = static_cast<uint64_t>(s.Integer("max_connections", 0, 0));
    if (c.max_connections == 0) {
        c.max_connections = std::max<uint64_t>(process::DescriptorLimit() / 4 * 3, 1);
    }
    c.max_datagrams = static_cast<uint64_t>(
        s.Integer("max_datagrams", static_cast<int64_t>(c.max_datagrams), 1, kMostDatagrams));
    c.idle_timeout = s.Time("idle_timeout", c.idle_timeout);
    c.write_timeout = s.Time("write_timeout", c.write_timeout);
}

void ReadTls(const Section& s, ServerConfig& c) {
    net::TlsSettings tls = config::ReadTls(s);
    if (!s.present()) {
        return;
    }
    if (c.udp) {
        s.Problem("", "udp:// has no TLS");
    }
    c.tls = std::move(tls);
}

// What only connections have.
void WarnOfUdp(const Section& s) {
    for (std::string_view key :
         {"framing", "delimiter", "split", "max_connections", "idle_timeout", "write_timeout",
          "max_message_size", "max_write_queue", "affinity", "proxy_protocol"}) {
        if (s.Has(key)) {
            s.Warning(key, "has no effect with udp://");
        }
    }
}

ServerConfig ParseServer(const std::string& name, const Section& s) {
    ServerConfig c;
    c.name = name;
    ReadAddress(s, c);
    ReadFraming(s, c.framing);
    c.remote_host = s.OneOf("remote_addr", "host_port", {"host_port", "host"}) == "host";
    ReadLimits(s, c);
    c.affinity = s.OneOf("affinity", "any", {"any", "connection"}) == "connection";
    c.proxy_protocol = s.Bool("proxy_protocol", false);
    ReadTls(s.Sub("tls"), c);
    if (c.udp) {
        WarnOfUdp(s);
    } else if (s.Has("max_datagrams")) {
        s.Warning("max_datagrams", "has an effect with udp:// only");
    }
    return c;
}

bool SameAddress(const ServerConfig& a, const ServerConfig& b) {
    const net::Address& x = a.address;
    const net::Address& y = b.address;
    if (x.kind != y.kind) {
        return false;
    }
    return x.kind == net::Address::Kind::kUnix
               ? x.path == y.path
               : x.port != 0 && x.port == y.port && x.host == y.host;
}

}  // namespace

TcpConfig ParseTcpConfig(const Section& s) {
    TcpConfig c;
    Section servers = s.Sub("servers");
    for (const auto& [name, section] : servers.Children()) {
        ServerConfig server = ParseServer(name, section);
        auto twin =
            std::find_if(c.servers.begin(), c.servers.end(), [&](const ServerConfig& other) {
                return !server.addr.empty() && SameAddress(server, other);
            });
        if (twin != c.servers.end()) {
            section.Problem("addr",
                            server.addr + " is already the address of the server " + twin->name);
        }
        c.servers.push_back(std::move(server));
    }
    if (s.present() && c.servers.empty()) {
        s.Problem("servers", "no servers registered");
    }
    int64_t megabytes = s.Integer("read_buf_size", 1, 0, kMostReadSize);
    c.read_buf_size = static_cast<uint64_t>(megabytes == 0 ? 1 : megabytes) << 20;
    Section pool = s.Sub("pool");
    c.pool = pool::ParsePoolConfig(pool);
    if (c.pool.max_queue_size < 0) {
        // Each connection waits for one answer at most: max_connections is the bound.
        c.pool.max_queue_size = 0;
    }
    return c;
}

}  // namespace rr::tcp
