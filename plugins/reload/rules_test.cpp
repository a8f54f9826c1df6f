#include "plugins/reload/rules.hpp"

#include <catch2/catch.hpp>

using namespace rr::reload;

static Rules Php(bool recursive = true) {
    Rules rules;
    rules.dirs = {"/app"};
    rules.recursive = recursive;
    rules.ignore = {"/app/cache", "/app/no.php"};
    rules.patterns = {".php", ".env"};
    return rules;
}

TEST_CASE("reload: a file counts if its name contains a pattern, wherever in it") {
    Rules rules = Php();
    REQUIRE(rules.WantsFile("/app/a.php", "a.php"));
    REQUIRE(rules.WantsFile("/app/a.php~", "a.php~"));
    REQUIRE(rules.WantsFile("/app/.env.local", ".env.local"));
    REQUIRE_FALSE(rules.WantsFile("/app/a.txt", "a.txt"));
    REQUIRE_FALSE(rules.WantsFile("/app.php/a", "a"));  // the name, not the path
    REQUIRE_FALSE(rules.WantsFile("/app/aphp", "aphp"));
}

TEST_CASE("reload: without a pattern no file counts") {
    Rules rules = Php();
    rules.patterns.clear();
    REQUIRE_FALSE(rules.WantsFile("/app/a.php", "a.php"));
}

TEST_CASE("reload: ignored folders and files, by their whole path") {
    Rules rules = Php();
    REQUIRE_FALSE(rules.EntersFolder("/app/cache", "cache"));
    REQUIRE(rules.EntersFolder("/app/src/cache", "cache"));
    REQUIRE(rules.EntersFolder("/app/.hidden", ".hidden"));
    REQUIRE_FALSE(rules.WantsFile("/app/no.php", "no.php"));
}

TEST_CASE("reload: without recursion ignore names no files, as in RoadRunner") {
    REQUIRE(Php(false).WantsFile("/app/no.php", "no.php"));
}

TEST_CASE("reload: folders can be left out by name, and hidden ones all") {
    Rules rules = Php();
    rules.names = {"node_modules"};
    rules.hidden = false;
    REQUIRE_FALSE(rules.EntersFolder("/app/x/node_modules", "node_modules"));
    REQUIRE_FALSE(rules.EntersFolder("/app/.git", ".git"));
    REQUIRE(rules.EntersFolder("/app/x", "x"));
}
