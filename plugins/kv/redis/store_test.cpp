#include "plugins/kv/redis/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "plugins/kv/conformance_for_test.hpp"
#include "plugins/kv/redis/servers_for_test.hpp"

namespace rr::kv::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Promises kPromises = {.text_is_kept = false,
                            .empty_key = true,
                            .no_timeout = "timeout for MExpire is empty or key is empty"};

std::string At(const Server& server, const std::string& more = "") {
    return "      addrs: [" + server.address() + "]\n" + more;
}

// A call that is not waited for.
struct Pending {
    Pending(Store& store, Operation operation, const std::string& key) {
        const Item item{.key = key, .value = "v"};
        store.Run(operation, {&item, 1},
                  [this](Result<Found> found) { result = found ? "" : found.error().message; });
    }
    std::optional<std::string> result;
};

// All that was written there is on its replica too. (WAIT looks at its own connection's writes.)
void AwaitReplica(Loop& loop, const Server& server) {
    Shell shell(loop, server.port());
    REQUIRE(shell.Say({"SET", "{foo}settled", "1"}) == "OK");
    REQUIRE(shell.Say({"WAIT", "1", "10000"}) == "1");
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

}  // namespace

TEST_CASE("kv redis: one server keeps the promises of a store") {
    static Loop loop("test");
    static Server server(loop);  // one for all sections
    Bench bench(loop, MakeStore(loop, At(server)));
    Conform(bench, kPromises);
}

TEST_CASE("kv redis: a password, a user and a database are told first") {
    Loop loop("test");
    Server server(loop);
    REQUIRE(server.Say({"ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all"}) == "OK");
    REQUIRE(server.Say({"CONFIG", "SET", "requirepass", "word"}) == "OK");
    {
        Bench bench(loop, MakeStore(loop, At(server, "      password: word\n      db: 3\n")));
        bench.Set("a", "1");
    }
    {
        Bench bench(loop, MakeStore(loop, At(server,
                                             "      username: app\n      password: secret\n"
                                             "      db: 3\n")));
        REQUIRE(bench.Get("a") == "1");
    }
    Bench elsewhere(loop, MakeStore(loop, At(server, "      password: word\n")));
    REQUIRE(elsewhere.Get("a") == "none");
    Bench wrong(loop, MakeStore(loop, At(server, "      password: wrong\n")));
    const std::string error = wrong.Run(Operation::kHas, {{.key = "a"}}).error;
    REQUIRE(error.find("WRONGPASS") == 0);
    Bench nobody(loop, MakeStore(loop, At(server)));
    REQUIRE(nobody.Run(Operation::kHas, {{.key = "a"}}).error.find("NOAUTH") == 0);
}

TEST_CASE("kv redis: a server that is not there is an error, and none once it is there") {
    Loop loop("test");
    Server server(loop);
    server.program().Kill();
    Bench bench(loop, MakeStore(loop, At(server)));
    const std::string error = bench.Run(Operation::kSet, {{"a", "1"}}).error;
    REQUIRE(error == "tcp://" + server.address() + ": connect: connection refused");
    server.program().Start();
    server.AwaitUp();
    bench.Set("a", "1");
    REQUIRE(bench.Get("a") == "1");
}

TEST_CASE("kv redis: a restart of the server costs no call") {
    Loop loop("test");
    Server server(loop);
    Bench bench(loop, MakeStore(loop, At(server,
                                         "      max_retries: 1000\n"
                                         "      read_timeout: 60s\n")));
    bench.Set("a", "1");
    server.program().Kill();
    Pending pending(*bench.store, Operation::kSet, "b");
    server.program().Start();
    REQUIRE(loop.RunUntil([&] { return pending.result.has_value(); }));
    REQUIRE(*pending.result == "");
    REQUIRE(bench.Get("b") == "v");
}

TEST_CASE("kv redis: a server that hangs is an error after read_timeout, and serves afterwards") {
    Loop loop("test");
    Server server(loop);
    Bench bench(loop, MakeStore(loop, At(server, "      read_timeout: 150ms\n")));
    bench.Set("a", "1");
    server.program().Pause();
    const std::string error = bench.Run(Operation::kMGet, {{.key = "a"}}).error;
    REQUIRE(error == "tcp://" + server.address() + ": no answer in time");
    REQUIRE_FALSE(bench.Run(Operation::kHas, {{.key = "a"}}).error.empty());
    server.program().Continue();
    SetUntilTaken(bench, "a", "2");
    REQUIRE(bench.Get("a") == "2");
}

TEST_CASE("kv redis: calls that run at the close are answered") {
    Loop loop("test");
    Server server(loop);
    auto bench = std::make_unique<Bench>(loop, MakeStore(loop, At(server)));
    bench->Set("a", "1");
    server.program().Pause();
    Pending pending(*bench->store, Operation::kHas, "a");
    bench->Close();
    REQUIRE(pending.result == "the storage was closed");
}

TEST_CASE("kv redis: what is no redis is said so") {
    Loop loop("test");
    Server server(loop, {}, true);
    Bench bench(loop, MakeStore(loop, At(server)));
    // A sentinel knows no SET.
    REQUIRE(bench.Run(Operation::kSet, {{"a", "1"}}).error.find("ERR unknown command") == 0);
    REQUIRE(bench.Run(Operation::kTtl, {{.key = "a"}}).error.find("ERR unknown command") == 0);
}

TEST_CASE("kv redis: values of other types are errors or absent, not garbage") {
    Loop loop("test");
    Server server(loop);
    Bench bench(loop, MakeStore(loop, At(server)));
    REQUIRE(server.Say({"RPUSH", "list", "1"}) == "1");
    REQUIRE(bench.Get("list") == "none");
    REQUIRE(bench.Has("list"));
}

TEST_CASE("kv redis: sentinels name the master, and the next one after it died") {
    Loop loop("test");
    Server master(loop);
    Server replica(loop, {"--replicaof", "127.0.0.1 " + std::to_string(master.port()),
                          "--repl-diskless-sync-delay", "0"});
    replica.Await({"INFO", "replication"}, "master_link_status:up");
    std::vector<std::unique_ptr<Server>> sentinels;
    std::string addresses;
    for (int i = 0; i < 3; ++i) {
        sentinels.push_back(std::make_unique<Server>(loop, std::vector<std::string>{}, true));
        Server& sentinel = *sentinels.back();
        const std::string port = std::to_string(master.port());
        REQUIRE(sentinel.Say({"SENTINEL", "MONITOR", "main", "127.0.0.1", port, "2"}) == "OK");
        REQUIRE(sentinel.Say({"SENTINEL", "SET", "main", "down-after-milliseconds", "500",
                              "failover-timeout", "3000"}) == "OK");
        addresses += (i > 0 ? ", " : "") + sentinel.address();
    }
    for (auto& sentinel : sentinels) {
        sentinel->Await({"INFO", "sentinel"}, "slaves=1,sentinels=3");
    }
    const std::string lines = "      addrs: [" + addresses + "]\n      master_name: main\n";

    Bench unknown(loop,
                  MakeStore(loop, "      addrs: [" + addresses + "]\n      master_name: x\n"));
    REQUIRE(unknown.Run(Operation::kHas, {{.key = "a"}}).error ==
            "sentinel: the sentinel knows no such master");

    Bench bench(loop, MakeStore(loop, lines));
    bench.Set("a", "1");
    REQUIRE(master.Say({"GET", "a"}) == "1");

    // A master that steps down is left for the new one.
    AwaitReplica(loop, master);
    REQUIRE(sentinels[0]->Say({"SENTINEL", "FAILOVER", "main"}) == "OK");
    replica.Await({"ROLE"}, "master");
    master.Await({"ROLE"}, "slave");
    master.Await({"INFO", "replication"}, "master_link_status:up");
    SetUntilTaken(bench, "b", "2");
    REQUIRE(replica.Say({"GET", "b"}) == "2");
    REQUIRE(bench.Get("a") == "1");

    // One that dies too, and a sentinel with it.
    AwaitReplica(loop, replica);
    for (auto& sentinel : sentinels) {
        const std::string port = std::to_string(replica.port());
        sentinel->Await({"INFO", "sentinel"}, "address=127.0.0.1:" + port + ",slaves=1");
    }
    sentinels[2]->program().Kill();
    replica.program().Kill();
    SetUntilTaken(bench, "c", "3");
    REQUIRE(master.Say({"GET", "c"}) == "3");
    REQUIRE(bench.Get("b") == "2");
}

TEST_CASE("kv redis: a cluster keeps the promises of a store") {
    static Loop loop("test");
    static TestCluster cluster(loop);  // one for all sections
    Bench bench(loop, MakeStore(loop, "      addrs: " + cluster.Addresses() + "\n"));
    Conform(bench, kPromises);
}

TEST_CASE("kv redis: a cluster is known from any of its nodes, and keys are spread over it") {
    Loop loop("test");
    TestCluster cluster(loop);
    const std::string dead = "127.0.0.1:" + std::to_string(FreePort());
    Bench bench(loop, MakeStore(loop, "      addrs: [" + dead + ", " + cluster.nodes[1]->address() +
                                          "]\n"));
    for (int i = 0; i < 50; ++i) {
        bench.Set("key" + std::to_string(i), "v");
    }
    for (auto& node : cluster.nodes) {
        REQUIRE(std::stoi(node->Say({"DBSIZE"})) > 0);
    }
    REQUIRE(bench.Run(Operation::kClear).error == "");
    for (auto& node : cluster.nodes) {
        REQUIRE(node->Say({"DBSIZE"}) == "0");
    }
}

TEST_CASE("kv redis: a slot that moves is followed at every step") {
    Loop loop("test");
    TestCluster cluster(loop);
    Bench bench(loop, MakeStore(loop, "      addrs: " + cluster.Addresses() + "\n"));
    // foo: slot 12182, of the last node.
    Server& from = *cluster.nodes[2];
    Server& to = *cluster.nodes[0];
    const std::string from_id = from.Say({"CLUSTER", "MYID"});
    const std::string to_id = to.Say({"CLUSTER", "MYID"});
    bench.Set("foo", "1");
    REQUIRE(to.Say({"CLUSTER", "SETSLOT", "12182", "IMPORTING", from_id}) == "OK");
    REQUIRE(from.Say({"CLUSTER", "SETSLOT", "12182", "MIGRATING", to_id}) == "OK");
    REQUIRE(bench.Get("foo") == "1");
    const std::string port = std::to_string(to.port());
    REQUIRE(from.Say({"MIGRATE", "127.0.0.1", port, "foo", "0", "5000"}) == "OK");
    REQUIRE(bench.Get("foo") == "1");  // ASK
    bench.Set("{foo}2", "2");
    REQUIRE(bench.Get("{foo}2") == "2");
    for (auto& node : cluster.nodes) {
        REQUIRE(node->Say({"CLUSTER", "SETSLOT", "12182", "NODE", to_id}) == "OK");
    }
    REQUIRE(bench.Get("foo") == "1");  // MOVED
    REQUIRE(bench.Get("{foo}2") == "2");
    REQUIRE(to.Say({"CLUSTER", "COUNTKEYSINSLOT", "12182"}) == "2");
}

TEST_CASE("kv redis: a node that dies is an error for its keys only, until it is back") {
    Loop loop("test");
    TestCluster cluster(loop);
    for (auto& node : cluster.nodes) {
        REQUIRE(node->Say({"CONFIG", "SET", "cluster-require-full-coverage", "no"}) == "OK");
    }
    Bench bench(loop, MakeStore(loop, "      addrs: " + cluster.Addresses() + "\n"));
    bench.Set("foo", "1");  // of the last node
    bench.Set("bar", "1");  // 5061: of the first
    cluster.nodes[2]->program().Kill();
    REQUIRE_FALSE(bench.Run(Operation::kMGet, {{.key = "foo"}}).error.empty());
    REQUIRE(bench.Get("bar") == "1");
    cluster.nodes[2]->program().Start();
    SetUntilTaken(bench, "foo", "2");
    REQUIRE(bench.Get("foo") == "2");
}

TEST_CASE("kv redis: a replica takes over in a cluster, and answers reads if it may") {
    Loop loop("test");
    TestCluster cluster(loop, true);
    const std::string addresses = "      addrs: " + cluster.Addresses() + "\n";
    // A node names a replica in its map only when it has heard how much that one has.
    const Instant limit = Clock::now() + seconds(60);
    for (const char* route : {"read_only", "route_by_latency", "route_randomly"}) {
        const std::string lines = addresses + "      " + route + ": true\n";
        REQUIRE(cluster.nodes[5]->Say({"CONFIG", "RESETSTAT"}) == "OK");
        bool asked = false;
        while (!asked) {
            REQUIRE(Clock::now() < limit);
            Bench bench(loop, MakeStore(loop, lines));
            bench.Set("foo", route);
            AwaitReplica(loop, *cluster.nodes[2]);
            for (int i = 0; i < 20; ++i) {
                REQUIRE(bench.Get("foo") == route);
            }
            const std::string stats = cluster.nodes[5]->Say({"INFO", "commandstats"});
            // Which node is the nearest is not ours to say.
            asked = stats.find("cmdstat_mget:") != std::string::npos ||
                    route == std::string("route_by_latency");
        }
    }
    Bench bench(loop, MakeStore(loop, addresses));
    bench.Set("foo", "1");
    AwaitReplica(loop, *cluster.nodes[2]);
    cluster.nodes[2]->program().Kill();
    SetUntilTaken(bench, "foo", "2");
    REQUIRE(bench.Get("foo") == "2");
    cluster.nodes[5]->Await({"ROLE"}, "master");
}

TEST_CASE("kv redis: what stands in a configuration") {
    auto config = config::Read(
        "version: '3'\n"
        "a: {addrs: ['h:1'], max_retries: -1, max_retry_backoff: 4ms, pool_size: 10}\n"
        "b: {addrs: ['h:1', 'h:2'], db: 2}\n"
        "c: {addrs: ['h:1', 'h:2'], master_name: m, sentinel_password: x}\n"
        "d: {addrs: [nothing]}\n"
        "e: {tls: {cert: c.pem, key: k.pem}}\n");
    const RedisConfig a = ParseRedisConfig(config->Get("a"));
    REQUIRE(a.mode == RedisConfig::Mode::kSingle);
    REQUIRE(a.link.max_retries == 0);
    REQUIRE(a.link.min_backoff == milliseconds(4));
    REQUIRE(a.read_timeout == seconds(3));
    REQUIRE(ParseRedisConfig(config->Get("b")).mode == RedisConfig::Mode::kCluster);
    REQUIRE(config->warnings().size() == 1);
    REQUIRE(ParseRedisConfig(config->Get("c")).mode == RedisConfig::Mode::kSentinel);
    REQUIRE(config->problems().empty());
    ParseRedisConfig(config->Get("d"));
    ParseRedisConfig(config->Get("e"));
    REQUIRE(config->problems() ==
            std::vector<std::string>{".rr.yaml:5: d.addrs: nothing: expected host:port",
                                     ".rr.yaml:6: e.tls: needs root_ca: the file with the "
                                     "certificate of who signed the server's"});
    REQUIRE(ParseRedisConfig(config->Get("none")).addrs.front().port == 6379);
    config->Finish();
    REQUIRE(config->warnings().size() == 1);
}

}  // namespace rr::kv::redis
