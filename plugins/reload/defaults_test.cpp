#include "plugins/reload/defaults.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

using namespace rr::reload;

namespace {

bool Has(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

struct Folder {
    Folder() {
        char name[] = "/tmp/rr-defaults-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        path = name;
        std::filesystem::create_directories(path + "/app");
        std::ofstream(path + "/app/worker.php") << "x";
        std::ofstream(path + "/worker.py") << "x";
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

}  // namespace

TEST_CASE("reload: --watch leaves out what is not the user's code") {
    Rules rules = WatchDefaults("/app", {});
    REQUIRE(rules.dirs == std::vector<std::string>{"/app"});
    REQUIRE(rules.EntersFolder("/app/src", "src"));
    REQUIRE_FALSE(rules.EntersFolder("/app/.git", ".git"));
    REQUIRE_FALSE(rules.EntersFolder("/app/ui/node_modules", "node_modules"));
    REQUIRE_FALSE(rules.EntersFolder("/app/vendor", "vendor"));
    REQUIRE_FALSE(rules.EntersFolder("/app/var", "var"));
    REQUIRE_FALSE(rules.EntersFolder("/app/bootstrap/cache", "cache"));
    REQUIRE(rules.EntersFolder("/app/src/cache", "cache"));
    REQUIRE(rules.WantsFile("/app/.env.local", ".env.local"));
}

TEST_CASE("reload: of vendor --watch sees what Composer writes") {
    Rules rules = WatchDefaults("/app", {});
    REQUIRE(Has(rules.shallow, "/app/vendor"));
    REQUIRE(Has(rules.shallow, "/app/vendor/composer"));
}

TEST_CASE("reload: --watch takes in the folder and the kind of a worker's script") {
    Folder f;
    Rules inside = WatchDefaults(f.path, {{"php", "-d", "x=1", "app/worker.php"}});
    REQUIRE_FALSE(Has(inside.shallow, f.path + "/app"));
    REQUIRE(inside.patterns == std::vector<std::string>{".php", ".env"});

    Rules outside = WatchDefaults(f.path + "/app", {{"python3", f.path + "/worker.py"}, {"php"}});
    REQUIRE(Has(outside.shallow, f.path));
    REQUIRE(Has(outside.patterns, ".py"));
}
