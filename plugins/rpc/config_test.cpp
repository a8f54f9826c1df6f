#include "plugins/rpc/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

struct Parsed {
    RpcConfig config;
    std::vector<std::string> problems;
};

Parsed Parse(const std::string& section) {
    auto config = config::Config::FromText("version: '3'\n" + section);
    REQUIRE(config);
    Parsed parsed;
    parsed.config = ParseRpcConfig((*config)->Get("rpc"));
    parsed.problems = (*config)->problems();
    return parsed;
}

}  // namespace

TEST_CASE("rpc config: an empty section has the defaults") {
    Parsed parsed = Parse("rpc: {}\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.config.listen.ToString() == "tcp://127.0.0.1:6001");
    REQUIRE(parsed.config.max_payload == 64U << 20);
    REQUIRE(parsed.config.max_write_queue == size_t{16} << 20);
}

TEST_CASE("rpc config: addresses and sizes") {
    Parsed parsed =
        Parse("rpc: {listen: 'unix://rr.sock', max_payload: 1KB, max_write_queue: 5}\n");
    REQUIRE(parsed.problems.empty());
    REQUIRE(parsed.config.listen.path == "rr.sock");
    REQUIRE(parsed.config.max_payload == 1024);
    REQUIRE(parsed.config.max_write_queue == 5);
    REQUIRE(Parse("rpc: {listen: 'tcp://:6001'}\n").config.listen.ToString() ==
            "tcp://0.0.0.0:6001");
}

TEST_CASE("rpc config: what is no address is named") {
    const char* invalid =
        ".rr.yaml:2: rpc.listen: invalid socket DSN (tcp://:6001, unix://file.sock)";
    for (const char* listen : {"127.0.0.1:6001", "''", "tcp://a://b", ":6001"}) {
        CAPTURE(listen);
        Parsed parsed = Parse(std::string("rpc: {listen: ") + listen + "}\n");
        REQUIRE(parsed.problems == std::vector<std::string>{invalid});
    }
    REQUIRE(Parse("rpc: {listen: 'tcp://host'}\n").problems.size() == 1);
    REQUIRE(Parse("rpc: {listen: 'http://host:1'}\n").problems.size() == 1);
    REQUIRE(Parse("rpc: {max_payload: 5GB}\n").problems.size() == 1);
    REQUIRE(Parse("rpc: {max_write_queue: 0}\n").problems.size() == 1);
}
