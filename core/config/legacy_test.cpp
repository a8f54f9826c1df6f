#include "core/config/legacy.hpp"

#include <stdlib.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"
#include "core/config/config_for_test.hpp"

namespace rr::config {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kFull = R"(env:
  App_Key: secret
rpc:
  enable: true
  listen: tcp://127.0.0.1:6002
http:
  address: 0.0.0.0:8080
  maxRequestSize: 200
  internalErrorCode: 505
  appErrorCode: 504
  trustedSubnets: ["10.0.0.0/8"]
  uploads:
    forbid: [".php"]
  ssl:
    port: 8443
    cert: c.pem
    rootCa: r.pem
  http2:
    enabled: false
    maxConcurrentStreams: 64
  workers:
    command: "php psr-worker.php pipes"
    relay: "pipe"
    user: www-data
    relayTimeout: 60
    pool:
      numWorkers: 4
      maxJobs: 100
      allocateTimeout: 60
      destroyTimeout: 1m
limit:
  interval: 1
  services:
    http:
      maxMemory: 100
      TTL: 3600
      idleTTL: 10
      execTTL: 5
headers:
  cors:
    allowedOrigin: "*"
    maxAge: 600
  response:
    X-Powered-By: RoadRunner
static:
  dir: public
  always: [".ico"]
gzip:
  enable: true
health:
  address: localhost:2113
)";

}  // namespace

TEST_CASE("legacy: a full 1.x file reads as version 3") {
    auto config = Read(kFull);
    REQUIRE(config->legacy());
    REQUIRE(config->ToJson() ==
            R"({"http":{"address":"0.0.0.0:8080","headers":{"cors":{"allowed_origin":"*",)"
            R"("max_age":600},"response":{"x-powered-by":"RoadRunner"}},)"
            R"("http2":{"max_concurrent_streams":64},"internal_error_code":505,)"
            R"("max_request_size":200,"middleware":["proxy_ip_parser","headers","static",)"
            R"("gzip"],"pool":{"allocate_timeout":"60s","destroy_timeout":"1m",)"
            R"("max_jobs":100,"num_workers":4,"supervisor":{"exec_ttl":"5s","idle_ttl":"10s",)"
            R"("max_worker_memory":100,"ttl":"3600s","watch_tick":"1s"}},)"
            R"("ssl":{"address":"0.0.0.0:8443","cert":"c.pem",)"
            R"("hsts":"max-age=31536000; includeSubDomains; preload","redirect_code":"307",)"
            R"("root_ca":"r.pem"},)"
            R"("static":{"always":[".ico"],"dir":"public"},"trusted_entry":"last",)"
            R"("trusted_headers":["X-Forwarded-For","X-Real-Ip","True-Client-Ip",)"
            R"("Cf-Connecting-Ip"],"trusted_subnets":["10.0.0.0/8"],)"
            R"("uploads":{"forbid":[".php"]}},"rpc":{"listen":"tcp://127.0.0.1:6002"},)"
            R"("server":{"command":"php psr-worker.php pipes","env":{"app_key":"secret",)"
            R"("rr":"true","rr_http":"true"},"protocol":"v2","relay":"pipes",)"
            R"("relay_timeout":"60s","user":"www-data"},)"
            R"("status":{"address":"localhost:2113"}})");
}

TEST_CASE("legacy: each translated section gives one warning with the new keys") {
    auto config = Read(kFull);
    REQUIRE(config->problems().empty());
    const Lines& warnings = config->warnings();
    REQUIRE(warnings.size() == 9);
    REQUIRE(warnings[0] ==
            ".rr.yaml:1: env: read in the shape of RoadRunner 1.x; version 3 writes server.env");
    REQUIRE(warnings[1].find(".rr.yaml:6: http: read in the shape of RoadRunner 1.x; version 3 "
                             "writes server.command, server.relay, server.user") == 0);
    REQUIRE(warnings[2] ==
            ".rr.yaml:10: http.apperrorcode: a RoadRunner 1.x key without effect; "
            "use http.internal_error_code for all errors");
    REQUIRE(warnings[3].find(".rr.yaml:19: http.http2.enabled: ") == 0);
    REQUIRE(warnings[4].find(".rr.yaml:31: limit: ") == 0);
    REQUIRE(warnings[5].find(".rr.yaml:39: headers: ") == 0);
    REQUIRE(warnings[6].find(".rr.yaml:45: static: ") == 0);
}

TEST_CASE("legacy: translated values keep their line") {
    auto config = Read("http:\n  workers:\n    pool:\n      numWorkers: many\n      maxjobs: -1\n");
    const Section pool = config->Get("http").Sub("pool");
    pool.Integer("num_workers", 0);
    pool.Integer("max_jobs", 0, 0);
    config->Get("server").Problem("command", "missing");
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:1: server.command: missing",
                  ".rr.yaml:4: http.pool.num_workers: expected a whole number, got \"many\"",
                  ".rr.yaml:5: http.pool.max_jobs: must be at least 0, got -1"});
}

TEST_CASE("legacy: what 1.x takes for granted is made explicit") {
    auto config = Read("http:\n  address: ':8080'\n  workers: {command: php w.php}\n");
    const Section http = config->Get("http");
    REQUIRE(config->Get("rpc").String("listen", "") == "tcp://127.0.0.1:6001");
    REQUIRE(config->Get("server").String("protocol", "auto") == "v2");
    REQUIRE(http.Integer("max_request_size", 1000, 0, 1 << 20) == 1 << 20);
    REQUIRE(http.Sub("uploads").List("forbid") == Lines{".php", ".exe", ".bat"});
    REQUIRE(http.List("trusted_subnets").size() == 7);
    REQUIRE(http.List("middleware") == Lines{"proxy_ip_parser"});
    REQUIRE_FALSE(http.Sub("pool").Sub("supervisor").present());
    REQUIRE(config->Get("server").Pairs("env") ==
            std::vector<std::pair<std::string, std::string>>{{"rr", "true"}, {"rr_http", "true"}});
    REQUIRE(config->warnings().size() == 1);
}

TEST_CASE("legacy: enable: false switches a section off") {
    auto config = Read(
        "http: {address: ':1', workers: {command: x}}\nrpc: {enable: false}\n"
        "static: {enable: no, dir: x}\ngzip: {enable: false}\n"
        "limit: {enable: false, services: {http: {TTL: 5}}}\n");
    REQUIRE(config->legacy());
    REQUIRE_FALSE(config->Get("rpc").present());
    REQUIRE_FALSE(config->Get("http").Sub("static").present());
    REQUIRE_FALSE(config->Get("http").Sub("pool").Sub("supervisor").present());
    REQUIRE(config->Get("http").List("middleware") == Lines{"proxy_ip_parser"});
}

TEST_CASE("legacy: recognised by http.workers, rpc.enable or limit without version and server") {
    REQUIRE(Read("limit: {interval: 5}\n")->legacy());
    REQUIRE(Read("rpc: {enable: true}\n")->legacy());
    for (const char* other : {"health: {address: x}\n", "static: {dir: x}\n", "env: {a: b}\n",
                              "http: {workers: {command: x}}\nserver: {command: x}\n"}) {
        Result<std::unique_ptr<Config>> config = Config::FromText(other);
        REQUIRE_FALSE(config.has_value());
        REQUIRE(config.error().message.find("should contain a version") != std::string::npos);
    }
}

TEST_CASE("legacy: RR_ variables override known keys, never what workers inherit") {
    ::setenv("RR_HTTP_WORKERS_POOL_NUMWORKERS", "7", 1);
    ::setenv("RR_HTTP_ADDRESS", ":9", 1);
    ::setenv("RR_HTTP", "true", 1);
    ::setenv("RR_RPC", "tcp://x", 1);
    ::setenv("RR_ENV_A", "from-env", 1);
    ::setenv("RR_LIMIT_SERVICES_HTTP_TTL", "x", 1);
    auto config = Read("http: {address: ':1', workers: {command: x}}\nenv: {a: b}\n");
    auto version3 = Read("version: '3'\nhttp: {address: ':1'}\n");
    for (const char* name : {"RR_HTTP_WORKERS_POOL_NUMWORKERS", "RR_HTTP_ADDRESS", "RR_HTTP",
                             "RR_RPC", "RR_ENV_A", "RR_LIMIT_SERVICES_HTTP_TTL"}) {
        ::unsetenv(name);
    }
    const Section http = config->Get("http");
    REQUIRE(http.String("address", "") == ":9");
    REQUIRE(http.Sub("pool").Integer("num_workers", 0) == 7);
    REQUIRE(config->Get("server").Pairs("env")[0].second == "from-env");
    http.Sub("pool").Sub("supervisor").Time("ttl", {});
    REQUIRE(config->problems() == Lines{"RR_LIMIT_SERVICES_HTTP_TTL: http.pool.supervisor.ttl: "
                                        "invalid duration \"x\""});
    REQUIRE(version3->Get("http").String("address", "") == ":1");
}

TEST_CASE("legacy: only whole values are expanded, unset ones stay") {
    ::setenv("RR_TEST_LEGACY", "php", 1);
    auto config = Read(
        "http: {address: '${RR_TEST_LEGACY}', workers: {command: "
        "'${RR_TEST_LEGACY} w.php', user: '${RR_TEST_NONE}'}}\n");
    ::unsetenv("RR_TEST_LEGACY");
    REQUIRE(config->Get("http").String("address", "") == "php");
    REQUIRE(config->Get("server").String("command", "") == "${RR_TEST_LEGACY} w.php");
    REQUIRE(config->Get("server").String("user", "") == "${RR_TEST_NONE}");
}

TEST_CASE("legacy: overrides speak the file's own language, version 3 keys work too") {
    auto config = Read("http: {workers: {command: x, pool: {numWorkers: 1}}}\n",
                       {"http.workers.pool.numWorkers=4", "http.pool.debug=true"});
    REQUIRE(config->Get("http").Sub("pool").Integer("num_workers", 0) == 4);
    REQUIRE(config->Get("http").Sub("pool").Bool("debug", false));
}

TEST_CASE("legacy: unknown keys of 1.x sections name the nearest") {
    auto config =
        Read("http: {workers: {comand: x, pool: {numWorker: 1}}}\nlimit: {intervall: 1}\n");
    REQUIRE(config->warnings() ==
            Lines{".rr.yaml:1: http.workers.comand: unknown key; did you mean command?",
                  ".rr.yaml:1: http.workers.pool.numworker: unknown key; did you mean numworkers?",
                  ".rr.yaml:2: limit.intervall: unknown key; did you mean interval?"});
}

TEST_CASE("legacy: with a version, http.workers is a problem and other old keys are warnings") {
    auto config = Read(
        "version: '3'\nhttp:\n  maxRequestSize: 5\n  workers:\n    command: x\n"
        "    pool: {numWorkers: 4}\nlimit: {interval: 1}\nenv: {a: b}\n");
    config->Get("http");
    config->Finish();
    REQUIRE_FALSE(config->legacy());
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:5: http.workers.command: a RoadRunner 1.x key; use server.command "
                  "(configuration version 3)",
                  ".rr.yaml:6: http.workers.pool.numworkers: a RoadRunner 1.x key; use "
                  "http.pool.num_workers (configuration version 3)"});
    REQUIRE(config->warnings() ==
            Lines{".rr.yaml:3: http.maxrequestsize: a RoadRunner 1.x key; use "
                  "http.max_request_size (configuration version 3)",
                  ".rr.yaml:7: limit.interval: a RoadRunner 1.x key; use "
                  "http.pool.supervisor.watch_tick (configuration version 3)",
                  ".rr.yaml:8: env: a RoadRunner 1.x key; use server.env (configuration version "
                  "3)"});
    auto both = Read("version: '3'\nserver: {command: x}\nhttp: {workers: {command: x}}\n");
    REQUIRE(both->problems().empty());
    REQUIRE(both->warnings().size() == 1);
}

}  // namespace rr::config
