#include "plugins/proxy_ip_parser/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"

namespace rr::proxy_ip_parser {

TEST_CASE("proxy_ip_parser config: without keys nobody is believed") {
    auto config = config::Read("version: '3'\nhttp: {address: ':80'}\n");
    const ProxyIpConfig c = ParseProxyIpConfig(config->Get("http"));
    REQUIRE(c.trusted.empty());
    REQUIRE(c.headers.empty());
    REQUIRE(c.entry == Entry::kFirst);
}

TEST_CASE("proxy_ip_parser config: every key is read") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  trusted_subnets: [10.0.0.0/8, 'fc00::/7', 127.0.0.1]\n"
        "  trusted_headers: [X-Real-Ip, Forwarded]\n  trusted_entry: Untrusted\n");
    const ProxyIpConfig c = ParseProxyIpConfig(config->Get("http"));
    REQUIRE(config->problems().empty());
    REQUIRE(c.trusted.size() == 3);
    REQUIRE(c.headers == std::vector<std::string>{"X-Real-Ip", "Forwarded"});
    REQUIRE(c.entry == Entry::kUntrusted);
}

TEST_CASE("proxy_ip_parser config: bad values are named with file and line") {
    auto config = config::Read(
        "version: '3'\nhttp:\n  trusted_subnets: [10.0.0.0/8, 10.0.0.0/40, nginx]\n"
        "  trusted_headers: ['X Real']\n  trusted_entry: frist\n");
    ParseProxyIpConfig(config->Get("http"));
    const auto& problems = config->problems();
    REQUIRE(problems.size() == 4);
    REQUIRE(problems[0] ==
            ".rr.yaml:3: http.trusted_subnets: no network like 10.0.0.0/8 or fc00::/7: "
            "10.0.0.0/40");
    REQUIRE(problems[1].ends_with(": nginx"));
    REQUIRE(problems[2] == ".rr.yaml:4: http.trusted_headers: no name of a header: X Real");
    REQUIRE(problems[3].find(".rr.yaml:5: http.trusted_entry: ") == 0);
    REQUIRE(problems[3].find("did you mean first?") != std::string::npos);
}

// Its defaults are those of RoadRunner 1.9.
TEST_CASE("proxy_ip_parser config: a file of RoadRunner 1.x believes the last entry") {
    auto config = config::Read("http: {address: ':80', workers: {command: php w.php}}\n");
    REQUIRE(config->legacy());
    const ProxyIpConfig c = ParseProxyIpConfig(config->Get("http"));
    REQUIRE(c.trusted.size() == 7);
    REQUIRE(c.entry == Entry::kLast);
    REQUIRE(c.headers == std::vector<std::string>{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip",
                                                  "Cf-Connecting-Ip"});
}

}  // namespace rr::proxy_ip_parser
