// TcpConfig: the `tcp` section, with RoadRunner's keys and our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/net/address.hpp"
#include "core/net/tls.hpp"
#include "core/pool/config.hpp"
#include "plugins/tcp/framing.hpp"

namespace rr::config {
class Section;
}

namespace rr::tcp {

struct ServerConfig {
    std::string name;  // lower case, as workers get it
    std::string addr;  // as written
    net::Address address;
    bool udp = false;

    // Ours, from here on.
    Framing framing;
    bool remote_host = false;              // remote_addr: without the port
    uint64_t max_message_size = 64 << 20;  // bytes; 0: what a frame can carry
    uint64_t max_write_queue = 64 << 20;   // bytes that a client leaves unread; 0: no bound
    uint64_t max_connections = 0;          // never 0 once parsed
    uint64_t max_datagrams = 1024;         // UDP: waiting or with a worker
    Duration idle_timeout{};               // 0: off
    Duration write_timeout{};              // without progress; 0: off
    bool affinity = false;                 // a connection's events go to one worker
    bool proxy_protocol = false;
    std::optional<net::TlsSettings> tls;
};

struct TcpConfig {
    std::vector<ServerConfig> servers;           // in file order
    uint64_t read_buf_size = uint64_t{1} << 20;  // bytes (MiB in the file): the most of one read
    pool::PoolConfig pool;
};

// Reads the section; problems are reported through it.
TcpConfig ParseTcpConfig(const config::Section& section);

}  // namespace rr::tcp
