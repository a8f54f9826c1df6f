#include "plugins/reload/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/read_for_test.hpp"

using namespace rr;
using namespace rr::reload;

namespace {

ReloadConfig InApp(const config::Section& section) { return ParseReloadConfig(section, "/app"); }

struct Read : config::ReadForTest<ReloadConfig> {
    explicit Read(const std::string& text) : ReadForTest(text, "reload", &InApp) {}
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("reload config: the section of RoadRunner 2.x") {
    Read r(R"(
reload:
  interval: 2s
  patterns: [".php"]
  services:
    http:
      recursive: true
      ignore: ["vendor", "/tmp/x"]
      patterns: [".go"]
      dirs: ["", "../lib", "/srv"]
      enabled: true
)");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.interval == std::chrono::seconds(2));
    REQUIRE(r.config.services.size() == 1);
    const ReloadConfig::Service& http = r.config.services[0];
    REQUIRE(http.plugin == "http");
    REQUIRE(http.rules.recursive);
    REQUIRE(http.rules.dirs == Texts{"/app", "/lib", "/srv"});
    REQUIRE(http.rules.ignore == Texts{"/app/vendor", "/tmp/x"});
    REQUIRE(http.rules.patterns == Texts{".go", ".php"});
}

TEST_CASE("reload config: defaults") {
    Read r("reload:\n  services:\n    http: {dirs: [.]}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.config.interval == std::chrono::seconds(1));
    REQUIRE_FALSE(r.config.services[0].rules.recursive);
    REQUIRE(r.config.services[0].rules.patterns == Texts{".php"});
}

TEST_CASE("reload config: a short interval and a missing service are errors") {
    REQUIRE(Read("reload:\n  interval: 500ms\n  services: {http: {dirs: [.]}}\n").problems() ==
            "reload.interval: too short interval, it must be 1s at least\n");
    REQUIRE(Read("reload:\n  interval: 1s\n").problems() ==
            "reload.services: at least one service is required\n");
}

TEST_CASE("reload config: a service without folders is a warning") {
    REQUIRE(Read("reload:\n  services:\n    http: {recursive: true}\n").warnings() ==
            "reload.services.http.dirs: no folder is named: nothing is watched\n");
}
