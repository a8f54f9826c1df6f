#include "plugins/kv/memcached/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/program_for_test.hpp"
#include "core/config/config_for_test.hpp"
#include "plugins/kv/conformance_for_test.hpp"

namespace rr::kv::memcached {
namespace {

using std::chrono::seconds;

class Server {
public:
    Server()
        : port_(FreePort()),
          program_({"memcached", "-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-p",
                    std::to_string(port_)},
                   "/") {}

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    Program& program() { return program_; }

private:
    const uint16_t port_;
    Program program_;
};

std::unique_ptr<Store> MakeStore(Loop& loop, const std::string& lines) {
    auto config = config::Read("version: '3'\nkv:\n  s:\n    config:\n" + lines);
    auto store = MakeMemcachedStore(config->Get("kv").Sub("s").Sub("config"), {loop, {}, "s", "/"});
    REQUIRE(config->problems().empty());
    return store;
}

void SetUntilTaken(Bench& bench, const std::string& key, const std::string& value) {
    const Instant limit = Clock::now() + seconds(30);
    while (true) {
        const std::string error = bench.Run(Operation::kSet, {{key, value}}).error;
        if (error.empty()) {
            return;
        }
        INFO(error);
        REQUIRE(Clock::now() < limit);
    }
}

// A slow machine is no slow server.
std::string At(const std::string& addresses, const std::string& read_timeout = "20s") {
    return "      addr: [" + addresses + "]\n      read_timeout: " + read_timeout + "\n";
}

const Promises kPromises = {.ends_are_told = false,
                            .empty_key = false,
                            .fine_times = false,
                            .no_timeout = "timeout for MExpire is empty or key is empty"};

}  // namespace

TEST_CASE("kv memcached: it keeps the promises of a store") {
    static Loop loop("test");
    static Server server;  // one for all sections
    Bench bench(loop, MakeStore(loop, At(server.address())));
    SetUntilTaken(bench, "up", "1");
    Conform(bench, kPromises);
}

TEST_CASE("kv memcached: several servers share the keys and keep the promises") {
    static Loop loop("test");
    static Server one;  // the same for all sections
    static Server two;
    static Server three;
    const std::string addresses = one.address() + ", " + two.address() + ", " + three.address();
    Bench bench(loop, MakeStore(loop, At(addresses)));
    for (int i = 0; i < 30; ++i) {
        SetUntilTaken(bench, "up" + std::to_string(i), "1");
    }
    Conform(bench, kPromises);
    bench.Set("123456789", "v");
    Server* servers[] = {&one, &two, &three};
    Bench owner(loop, MakeStore(loop, At(servers[0xcbf43926u % 3]->address())));
    REQUIRE(owner.Get("123456789") == "v");
}

TEST_CASE("kv memcached: what its protocol cannot do is an error") {
    Loop loop("test");
    Server server;
    Bench bench(loop, MakeStore(loop, At(server.address())));
    SetUntilTaken(bench, "a", "1");
    REQUIRE(bench.Run(Operation::kTtl, {{.key = "a"}})
                .error.find("not valid request for memcached, see ") == 0);
    REQUIRE(bench.Run(Operation::kSet, {{"b", "1"}, {"with blank", "2"}}).error ==
            "malformed: key is too long or contains invalid characters");
    REQUIRE_FALSE(bench.Has("b"));
    // Refused by the server, and the connection serves on.
    const std::string huge(4 << 20, 'x');
    REQUIRE(bench.Run(Operation::kSet, {{"huge", huge}}).error.find("SERVER_ERROR") == 0);
    REQUIRE(bench.Get("a") == "1");
}

TEST_CASE("kv memcached: ends beyond what memcached can count are its last") {
    Loop loop("test");
    Server server;
    Bench bench(loop, MakeStore(loop, At(server.address())));
    SetUntilTaken(bench, "up", "1");
    bench.Set("a", "1", INT64_MAX - 1);
    REQUIRE(bench.Get("a") == "1");
}

TEST_CASE("kv memcached: thousands of keys in one call") {
    Loop loop("test");
    Server server;
    Bench bench(loop, MakeStore(loop, At(server.address())));
    SetUntilTaken(bench, "up", "1");
    std::vector<std::string> keys;
    for (int i = 0; i < 2000; ++i) {
        keys.push_back(std::string(100, 'k') + std::to_string(i));
    }
    std::vector<Item> items;
    for (const std::string& key : keys) {
        items.push_back({.key = key, .value = key});
    }
    REQUIRE(bench.Run(Operation::kSet, items).error == "");
    REQUIRE(bench.Run(Operation::kMGet, items).values.size() == 2000);
}

TEST_CASE("kv memcached: a server that is not there, hangs, or comes back") {
    Loop loop("test");
    Server server;
    Bench patient(loop, MakeStore(loop, At(server.address())));
    SetUntilTaken(patient, "a", "1");

    SECTION("gone and back") {
        server.program().Kill();
        REQUIRE(patient.Run(Operation::kHas, {{.key = "a"}}).error ==
                "tcp://" + server.address() + ": connect: connection refused");
        server.program().Start();
        SetUntilTaken(patient, "a", "2");
        REQUIRE(patient.Get("a") == "2");
    }
    SECTION("hanging") {
        Bench bench(loop, MakeStore(loop, At(server.address(), "100ms")));
        SetUntilTaken(bench, "a", "1");
        server.program().Pause();
        REQUIRE(bench.Run(Operation::kHas, {{.key = "a"}}).error ==
                "tcp://" + server.address() + ": no answer in time");
        server.program().Continue();
        SetUntilTaken(bench, "a", "2");
    }
    SECTION("closed while it runs") {
        server.program().Pause();
        std::optional<std::string> result;
        const Item item{.key = "a"};
        patient.store->Run(Operation::kHas, {&item, 1},
                           [&result](Result<Found> found) { result = found.error().message; });
        patient.Close();
        REQUIRE(result == "the storage was closed");
    }
}

TEST_CASE("kv memcached: what stands in a configuration") {
    auto config = config::Read("version: '3'\na: {addr: ['h:1', '/run/m.sock']}\nb: {addr: h}\n");
    const MemcachedConfig a = ParseMemcachedConfig(config->Get("a"));
    REQUIRE(a.addr.size() == 2);
    REQUIRE(a.addr[1].ToString() == "unix:///run/m.sock");
    REQUIRE(config->problems().empty());
    ParseMemcachedConfig(config->Get("b"));
    REQUIRE(config->problems() ==
            std::vector<std::string>{".rr.yaml:3: b.addr: h: expected host:port"});
    REQUIRE(ParseMemcachedConfig(config->Get("none")).addr.front().port == 11211);
}

}  // namespace rr::kv::memcached
