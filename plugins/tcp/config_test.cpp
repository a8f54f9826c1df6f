#include "plugins/tcp/config.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "core/config/read_for_test.hpp"

using namespace rr;
using namespace rr::tcp;

namespace {

struct Read : config::ReadForTest<TcpConfig> {
    explicit Read(const std::string& text) : ReadForTest(text, "tcp", &ParseTcpConfig) {}
};

Read One(const std::string& keys) {
    return Read("tcp:\n  servers:\n    a: {addr: \"127.0.0.1:0\", " + keys + "}\n");
}

}  // namespace

TEST_CASE("tcp config: an address is enough, the rest has defaults") {
    Read r("tcp:\n  servers:\n    SMTP: {addr: \"tcp://127.0.0.1:1025\"}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.servers.size() == 1);
    const ServerConfig& s = r.config.servers[0];
    REQUIRE(s.name == "smtp");
    REQUIRE(s.address.port == 1025);
    REQUIRE(s.framing.kind == Framing::Kind::kDelimiter);
    REQUIRE(s.framing.delimiter == "\r\n");
    REQUIRE_FALSE(s.framing.split);
    REQUIRE_FALSE(s.remote_host);
    REQUIRE(s.max_message_size == 64 << 20);
    REQUIRE(s.max_connections > 0);
    REQUIRE(s.idle_timeout == Duration::zero());
    REQUIRE_FALSE(s.tls.has_value());
    REQUIRE(r.config.read_buf_size == 1 << 20);
    REQUIRE(r.config.pool.max_queue_size == 0);
}

TEST_CASE("tcp config: servers stand in file order, of every kind") {
    Read r(R"(
tcp:
  servers:
    b: {addr: ":7001"}
    a: {addr: "[::1]:7002", delimiter: "\n"}
    c: {addr: "unix://rr.sock"}
    d: {addr: "udp://127.0.0.1:7001"}
  read_buf_size: 2
  pool: {num_workers: 2, max_queue_size: 5}
)");
    REQUIRE(r.problems().empty());
    REQUIRE(r.config.servers[0].name == "b");
    REQUIRE(r.config.servers[1].framing.delimiter == "\n");
    REQUIRE(r.config.servers[2].address.path == "rr.sock");
    REQUIRE(r.config.servers[3].udp);
    REQUIRE(r.config.servers[3].address.ToString() == "udp://127.0.0.1:7001");
    REQUIRE(r.config.servers[3].address.port == 7001);
    REQUIRE(r.config.read_buf_size == 2 << 20);
    REQUIRE(r.config.pool.max_queue_size == 5);
}

TEST_CASE("tcp config: what is missing or wrong is named") {
    REQUIRE(Read("tcp:\n  servers: {}\n").problems() == "tcp.servers: no servers registered\n");
    REQUIRE(Read("tcp:\n  pool: {num_workers: 1}\n").problems() ==
            "tcp.servers: no servers registered\n");
    REQUIRE(Read("tcp:\n  servers:\n    a: {delimiter: x}\n").problems() ==
            "tcp.servers.a.addr: empty address for the server: a\n");
    std::string scheme = Read("tcp:\n  servers:\n    a: {addr: \"http://x:1\"}\n").problems();
    REQUIRE(scheme.find("tcp.servers.a.addr: ") == 0);
    REQUIRE(scheme.find("invalid Protocol") != std::string::npos);
    Read twice("tcp:\n  servers:\n    a: {addr: \":7001\"}\n    b: {addr: \"tcp://:7001\"}\n");
    REQUIRE(twice.problems() ==
            "tcp.servers.b.addr: tcp://:7001 is already the address of the server a\n");
}

TEST_CASE("tcp config: framings and what they need") {
    Read length =
        One("framing: length, length_bytes: 2, endian: little, "
            "length_includes_header: true");
    REQUIRE(length.problems().empty());
    const Framing& f = length.config.servers[0].framing;
    REQUIRE(f.kind == Framing::Kind::kLength);
    REQUIRE(f.length_bytes == 2);
    REQUIRE(f.little_endian);
    REQUIRE(f.length_includes_header);
    REQUIRE(One("framing: fixed, size: 16").config.servers[0].framing.size == 16);
    REQUIRE(One("framing: fixed").problems().find("tcp.servers.a.size: missing") == 0);
    REQUIRE(One("framing: length, length_bytes: 3").problems() ==
            "tcp.servers.a.length_bytes: must be 1, 2, 4 or 8\n");
    REQUIRE(One("framing: raw, split: true").warnings() ==
            "tcp.servers.a.split: has no effect with framing: raw\n");
}

TEST_CASE("tcp config: limits and options of a server") {
    Read r =
        One("max_message_size: 1KB, max_connections: 3, idle_timeout: 5s, write_timeout: 250ms, "
            "affinity: connection, proxy_protocol: true, remote_addr: host, split: true");
    REQUIRE(r.problems().empty());
    const ServerConfig& s = r.config.servers[0];
    REQUIRE(s.max_message_size == 1024);
    REQUIRE(s.max_connections == 3);
    REQUIRE(s.idle_timeout == std::chrono::seconds(5));
    REQUIRE(s.write_timeout == std::chrono::milliseconds(250));
    REQUIRE(s.affinity);
    REQUIRE(s.proxy_protocol);
    REQUIRE(s.remote_host);
    REQUIRE(s.framing.split);
    REQUIRE(One("max_message_size: 0").config.servers[0].max_message_size > 4'000'000'000U);
    REQUIRE(One("remote_addr: port").problems().find("tcp.servers.a.remote_addr") == 0);
}

TEST_CASE("tcp config: tls needs its files") {
    std::string problems = One("tls: {cert: /nonexistent/c.pem}").problems();
    REQUIRE(
        problems.find("tcp.servers.a.tls.cert: cert file '/nonexistent/c.pem' does not exists") !=
        std::string::npos);
    REQUIRE(problems.find("tcp.servers.a.tls.key: missing") != std::string::npos);
    REQUIRE(Read("tcp:\n  servers:\n    a: {addr: \"udp://:0\", tls: {cert: /dev/null, "
                 "key: /dev/null}}\n")
                .problems()
                .find("udp:// has no TLS") != std::string::npos);
}
