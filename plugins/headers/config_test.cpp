#include "plugins/headers/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

namespace rr::headers {
namespace {

HeadersConfig ParseText(const std::string& text) {
    auto config = config::Read("version: '3'\nhttp:\n  headers:\n" + text);
    HeadersConfig parsed = ParseHeadersConfig(config->Get("http").Sub("headers"));
    config->Finish();
    REQUIRE(config->problems().empty());
    return parsed;
}

}  // namespace

TEST_CASE("headers config: without a section it does nothing") {
    auto config = config::Read("version: '3'\nhttp: {address: ':80'}\n");
    const HeadersConfig c = ParseHeadersConfig(config->Get("http").Sub("headers"));
    REQUIRE(c.request.empty());
    REQUIRE(c.response.empty());
    REQUIRE_FALSE(c.cors_enabled);
    REQUIRE(c.cors.origins.all());
    REQUIRE(c.cors.methods == std::vector<std::string>{"GET", "POST", "HEAD"});
    REQUIRE(c.cors.headers ==
            std::vector<std::string>{"accept", "content-type", "x-requested-with"});
    REQUIRE(c.cors.exposed.empty());
    REQUIRE(c.cors.max_age.empty());
    REQUIRE_FALSE(c.cors.credentials);
    REQUIRE(c.cors.success_status == 200);
}

TEST_CASE("headers config: every key is read, items are trimmed, names are canonical") {
    const HeadersConfig c = ParseText(
        "    request: {x-req: a, User-Agent: rr}\n    response: {x-powered-by: RoadRunner}\n"
        "    cors:\n      allowed_origin: 'https://a.example, https://*.b.example'\n"
        "      allowed_methods: 'GET, PUT ,DELETE'\n      allowed_headers: [X-B, x-a]\n"
        "      exposed_headers: 'x-one, X-TWO'\n      allow_credentials: true\n"
        "      max_age: 600\n      options_success_status: 204\n      debug: true\n");
    REQUIRE(c.request == HeadersConfig::Pairs{{"X-Req", "a"}, {"User-Agent", "rr"}});
    REQUIRE(c.response == HeadersConfig::Pairs{{"X-Powered-By", "RoadRunner"}});
    REQUIRE(c.cors_enabled);
    REQUIRE(c.cors.origins.Allow("https://a.example"));
    REQUIRE(c.cors.origins.Allow("https://x.b.example"));
    REQUIRE_FALSE(c.cors.origins.Allow("https://c.example"));
    REQUIRE(c.cors.methods == std::vector<std::string>{"GET", "PUT", "DELETE"});
    REQUIRE(c.cors.headers == std::vector<std::string>{"x-a", "x-b"});
    REQUIRE(c.cors.exposed == "X-One, X-Two");
    REQUIRE(c.cors.credentials);
    REQUIRE(c.cors.max_age == "600");
    REQUIRE(c.cors.success_status == 204);
    REQUIRE(c.cors.debug);
}

TEST_CASE("headers config: the numbers 0 and -1") {
    const HeadersConfig c =
        ParseText("    cors: {allowed_headers: '*', max_age: -1, options_success_status: 0}\n");
    REQUIRE(c.cors.all_headers);
    REQUIRE(c.cors.max_age == "0");
    REQUIRE(c.cors.success_status == 200);
    REQUIRE(ParseText("    cors: {max_age: 0, debug: false}\n").cors.max_age.empty());
}

TEST_CASE("headers config: bad values are named with file and line") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  headers:\n    request: {'x y': a}\n"
        "    response: {x-a: \"a\\r\\nX-B: b\"}\n    cors:\n"
        "      allowed_origin_regex: '(a'\n      allowed_methods: [GET, 'P T']\n"
        "      max_age: -2\n      options_success_status: 100\n      alowed_headers: x\n");
    ParseHeadersConfig(config->Get("http").Sub("headers"));
    config->Finish();
    const auto& problems = config->problems();
    REQUIRE(problems.size() == 6);
    REQUIRE(problems[0] == ".rr.yaml:4: http.headers.request: no header: x y");
    REQUIRE(problems[1] == ".rr.yaml:5: http.headers.response: no header: x-a");
    REQUIRE(problems[2].find(".rr.yaml:7: http.headers.cors.allowed_origin_regex: no regular "
                             "expression: ") == 0);
    REQUIRE(problems[3] == ".rr.yaml:8: http.headers.cors.allowed_methods: must be names, not P T");
    REQUIRE(problems[4].find(".rr.yaml:9: http.headers.cors.max_age: ") == 0);
    REQUIRE(problems[5].find(".rr.yaml:10: http.headers.cors.options_success_status: ") == 0);
    REQUIRE(config->warnings().size() == 1);
    REQUIRE(config->warnings()[0].find("allowed_headers") != std::string::npos);
}

TEST_CASE("headers config: a file of RoadRunner 1.x is read by its own keys") {
    auto config = config::Read(
        "http: {address: ':80', workers: {command: php w.php}}\n"
        "headers:\n  request: {x-a: b}\n  response: {x-c: d}\n  cors:\n"
        "    allowedOrigin: https://a.example\n    allowedHeaders: X-One\n"
        "    allowedMethods: GET,PUT\n    allowCredentials: true\n    exposedHeaders: X-Two\n"
        "    maxAge: 600\n");
    REQUIRE(config->legacy());
    const HeadersConfig c = ParseHeadersConfig(config->Get("http").Sub("headers"));
    REQUIRE(c.request.size() == 1);
    REQUIRE(c.response.size() == 1);
    REQUIRE_FALSE(c.cors.origins.Allow("https://b.example"));
    REQUIRE(c.cors.headers == std::vector<std::string>{"x-one"});
    REQUIRE(c.cors.methods == std::vector<std::string>{"GET", "PUT"});
    REQUIRE(c.cors.credentials);
    REQUIRE(c.cors.exposed == "X-Two");
    REQUIRE(c.cors.max_age == "600");
}

}  // namespace rr::headers
