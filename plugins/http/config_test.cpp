#include "plugins/http/config.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "core/config/read_for_test.hpp"

using namespace rr::http;

namespace {

struct Read : rr::config::ReadForTest<HttpConfig> {
    explicit Read(const std::string& text) : ReadForTest(text, "http", &ParseHttpConfig) {}
};

}  // namespace

TEST_CASE("http config: an address is enough, the rest has defaults") {
    Read r("http:\n  address: 127.0.0.1:8080\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.address == "127.0.0.1:8080");
    REQUIRE(r.config.internal_error_code == 0);
    REQUIRE(r.config.ErrorStatus(502) == 502);
    REQUIRE(r.config.max_request_size == uint64_t{1000} << 20);
    REQUIRE(r.config.context_codec == Codec::kJson);
    REQUIRE(r.config.timeouts.header == std::chrono::seconds(10));
    REQUIRE(r.config.timeouts.idle == std::chrono::seconds(120));
    REQUIRE(r.config.limits.target == 16 * 1024);
    REQUIRE(r.config.limits.head == 64 * 1024);
    REQUIRE(r.config.limits.headers == 256);
    REQUIRE(r.config.form_limit == 64 * 1024 * 1024);
    REQUIRE(r.config.spool_threshold == 64 * 1024);
    REQUIRE(r.config.retry_safe_methods);
    REQUIRE(r.config.loops == 1);
    REQUIRE_FALSE(r.config.reuse_port);
    REQUIRE(r.config.pool.num_workers > 0);
}

TEST_CASE("http config: a middleware that is listed twice runs once, and rr says so") {
    Read r("http:\n  address: ':8080'\n  middleware: [gzip, cache, gzip]\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().find("http.middleware: gzip: listed twice") != std::string::npos);
    REQUIRE(r.warnings().find("cache") == std::string::npos);
    REQUIRE(r.config.middleware == std::vector<std::string>{"gzip", "cache"});
}

TEST_CASE("http config: every key is read") {
    Read r(R"(http:
  address: ":8080"
  internal_error_code: 599
  access_logs: true
  max_request_size: 2
  raw_body: true
  uploads: {dir: /tmp, forbid: [".EXE", ""], allow: ".Png,.gif"}
  context_codec: protobuf
  timeouts: {header: 1s, body: 2s, write: 3s, idle: 4s}
  limits: {target: 1KB, head: 2KB, headers: 3, form: 4KB}
  spool_threshold: 5KB
  retry_safe_methods: false
  loops: 2
  reuse_port: true
  pool: {num_workers: 3}
)");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.ErrorStatus(502) == 599);
    REQUIRE(r.config.access_logs);
    REQUIRE(r.config.max_request_size == 2 << 20);
    REQUIRE(r.config.raw_body);
    REQUIRE(r.config.uploads.dir == "/tmp");
    REQUIRE(r.config.uploads.rules.forbid == std::vector<std::string>{".exe"});
    REQUIRE(r.config.uploads.rules.allow == std::vector<std::string>{".png", ".gif"});
    REQUIRE(r.config.context_codec == Codec::kProtobuf);
    REQUIRE(r.config.timeouts.write == std::chrono::seconds(3));
    REQUIRE(r.config.limits.target == 1024);
    REQUIRE(r.config.limits.head == 2048);
    REQUIRE(r.config.limits.headers == 3);
    REQUIRE(r.config.form_limit == 4096);
    REQUIRE(r.config.spool_threshold == 5120);
    REQUIRE_FALSE(r.config.retry_safe_methods);
    REQUIRE(r.config.loops == 2);
    REQUIRE(r.config.reuse_port);
    REQUIRE(r.config.pool.num_workers == 3);
}

TEST_CASE("http config: what is watched holds for all pools, slow_log also for one") {
    Read none("http: {address: \":80\", pools: {a: {match: {path: /a}}}}\n");
    REQUIRE_FALSE(none.config.pool.watch.any());
    REQUIRE_FALSE(none.config.routes.at(0).pool.watch.any());
    Read r(R"(http:
  address: ":80"
  access_log_usage: cpu
  slow_log: {threshold: 5s}
  pools:
    all: {match: {path: /a}}
    own: {match: {path: /b}, slow_log: {threshold: 1m}}
    off: {match: {path: /c}, slow_log: {threshold: 0s}}
)");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.access_log_usage == HttpConfig::Usage::kCpu);
    REQUIRE(r.config.pool.watch.cpu);
    REQUIRE_FALSE(r.config.pool.watch.memory);
    REQUIRE(r.config.pool.watch.slow_after == std::chrono::seconds(5));
    std::vector<rr::Duration> slow;
    for (const Route& route : r.config.routes) {
        REQUIRE(route.pool.watch.cpu);
        slow.push_back(route.pool.watch.slow_after);
    }
    REQUIRE(slow ==
            std::vector<rr::Duration>{std::chrono::seconds(5), std::chrono::minutes(1), {}});
    Read all("http: {address: \":80\", access_log_usage: ALL}\n");
    REQUIRE(all.config.pool.watch.cpu);
    REQUIRE(all.config.pool.watch.memory);
    for (const char* bad : {"access_log_usage: memory", "slow_log: {threshold: soon}"}) {
        REQUIRE(Read("http: {address: \":80\", " + std::string(bad) + "}\n").problems() != "");
    }
}

TEST_CASE("http config: something must be served") {
    REQUIRE(Read("http:\n  access_logs: true\n").problems() ==
            "http: unable to run http service, no method has been specified (http, https, http/2 "
            "or FastCGI)\n");
    REQUIRE(Read("http:\n  http3: {address: \":443\"}\n").problems() ==
            "http.address: missing; http3 is not served yet\n");
    REQUIRE(Read("http:\n  address: \"8080\"\n").problems() ==
            "http.address: malformed http server address\n");
    REQUIRE(Read("http:\n  address: \"h:x\"\n").problems().find("http.address: ") == 0);
    REQUIRE(Read("rpc:\n  listen: x\n").problems().empty());
    REQUIRE(Read("http:\n  fcgi: {address: 9000}\n").problems() ==
            "http.fcgi.address: malformed http server address\n");
}

TEST_CASE("http config: FastCGI needs no address of HTTP") {
    Read r("http:\n  fcgi: {address: \"unix:///run/rr.sock\"}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.address.empty());
    REQUIRE(r.config.fcgi_address == "unix:///run/rr.sock");
}

TEST_CASE("http config: values out of range are problems") {
    auto problems = [](const std::string& line) {
        return Read("http:\n  address: \":80\"\n  " + line + "\n").problems();
    };
    for (const char* bad : {"internal_error_code: 99", "internal_error_code: 600",
                            "max_request_size: -1", "context_codec: xml", "timeouts: {idle: 0s}",
                            "limits: {head: 10}", "limits: {headers: 0}", "limits: {headers: 5000}",
                            "limits: {target: 2MB}", "loops: 0", "spool_threshold: 2GB"}) {
        INFO(bad);
        REQUIRE(problems(bad) != "");
    }
    REQUIRE(problems("max_request_size: 0").empty());
    REQUIRE(Read("http:\n  address: \":80\"\n  max_request_size: 0\n").config.max_request_size ==
            uint64_t{1000} << 20);
}

TEST_CASE("http config: keys of later parts are known and warned about") {
    Read r(
        "http:\n  address: \":80\"\n  http3: {address: h}\n"
        "  middleware: [gzip]\n");
    REQUIRE(r.problems().empty());
    std::string warnings = r.warnings();
    INFO(warnings);
    REQUIRE(warnings.find("http.http3: not served yet") != std::string::npos);
    REQUIRE(Read("http:\n  address: \":80\"\n  raw_bdy: true\n").warnings().find("raw_body") !=
            std::string::npos);
}
