#include "plugins/static/config.hpp"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"
#include "core/config/read_for_test.hpp"
#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::static_files;
using namespace std::chrono_literals;

namespace {

const files::FolderForTest& Folder() {
    static const files::FolderForTest folder;
    folder.Write("public/a.txt", "a");
    return folder;
}

StaticConfig Parse(const config::Section& http) {
    return ParseStaticConfig(http.Sub("static"), Folder().path());
}

config::ReadForTest<StaticConfig> Read(const std::string& keys) {
    return {"http:\n  static:\n    dir: public\n" + keys, "http", &Parse};
}

}  // namespace

TEST_CASE("static config: the defaults") {
    const auto r = Read("");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    REQUIRE(r.config.dir == Folder() / "public");
    REQUIRE(r.config.symlink_roots == std::vector<std::string>{Folder().path()});
    REQUIRE(r.config.dotfiles);
    REQUIRE(r.config.cache_control.empty());
    REQUIRE(r.config.revalidate == 1s);
}

TEST_CASE("static config: every key") {
    const auto r = Read(
        "    forbid: [.PHP, htaccess, '']\n    allow: .css, .js\n    always: [css]\n"
        "    calculate_etag: true\n    weak: true\n"
        "    request: {x-req: a}\n    response: {x-powered-by: rr}\n"
        "    symlink_roots: [storage, /srv]\n    dotfiles: false\n    precompressed: true\n"
        "    index: [index.html]\n    try_files: [\"{path}.html\", \"/{path}/index.html\"]\n"
        "    fallback: /app/index.html\n    fallback_exclude: [/api]\n    max_age: 1h\n"
        "    cache: {max_files: 10, max_memory: 1MB, revalidate: 0s}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    const StaticConfig& c = r.config;
    using List = std::vector<std::string>;
    REQUIRE(c.forbid == List{"php", "htaccess"});
    REQUIRE(c.allow == List{"css", "js"});
    REQUIRE(c.always == List{"css"});
    REQUIRE(c.calculate_etag);
    REQUIRE(c.weak);
    REQUIRE(c.request == StaticConfig::Pairs{{"X-Req", "a"}});
    REQUIRE(c.response == StaticConfig::Pairs{{"X-Powered-By", "rr"}});
    REQUIRE(c.symlink_roots == List{Folder() / "storage", "/srv"});
    REQUIRE_FALSE(c.dotfiles);
    REQUIRE(c.precompressed);
    REQUIRE(c.index == List{"index.html"});
    REQUIRE(c.try_files == List{"{path}.html", "{path}/index.html"});
    REQUIRE(c.fallback == "app/index.html");
    REQUIRE(c.fallback_exclude == List{"api"});
    REQUIRE(c.cache_control == "public, max-age=3600");
    REQUIRE(c.max_files == 10);
    REQUIRE(c.max_memory == 1 << 20);
    REQUIRE(c.revalidate == 0s);
}

TEST_CASE("static config: no links at all") {
    REQUIRE(Read("    symlink_roots: []\n").config.symlink_roots.empty());
}

TEST_CASE("static config: mistakes are named") {
    const auto missing =
        config::ReadForTest<StaticConfig>("http:\n  static: {dir: nowhere}\n", "http", &Parse);
    REQUIRE(missing.problems() == "http.static.dir: root directory 'nowhere' does not exist\n");
    REQUIRE(config::ReadForTest<StaticConfig>("http:\n  static: {weak: true}\n", "http", &Parse)
                .problems()
                .find("root directory '' does not exist") != std::string::npos);
    for (const char* key : {"fallback: ../x.html", "fallback: /", "try_files: ['{path}%2e.html']",
                            "index: [..]", "response: {'a b': c}", "response: {a: \"x\\ny\"}",
                            "cache: {max_files: -1}", "max_age: 1h\n    cache_control: no-store"}) {
        INFO(key);
        REQUIRE_FALSE(Read(std::string("    ") + key + "\n").problems().empty());
    }
    REQUIRE(Read("    calculate_etags: true\n").warnings().find("calculate_etag") !=
            std::string::npos);
}
