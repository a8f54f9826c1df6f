#include "cmd/rr/prepare.hpp"

#include <catch2/catch.hpp>

using namespace rr::cmd;
using Words = std::vector<std::string>;

TEST_CASE("prepare: a successor gets absolute paths, once, and in front of --") {
    Options options;
    Surroundings around;
    around.config_file = "/srv/app/x.yaml";
    around.directory = "/srv";
    REQUIRE(SuccessorArguments({"serve", "-c", "app/x.yaml"}, options, around) ==
            Words{"serve", "-c", "app/x.yaml", "--config=/srv/app/x.yaml"});
    options.work_dir = "..";
    Words once = SuccessorArguments({"-w", "..", "serve", "--", "x"}, options, around);
    REQUIRE(once ==
            Words{"-w", "..", "serve", "--config=/srv/app/x.yaml", "--WorkDir=/srv", "--", "x"});
    REQUIRE(SuccessorArguments(once, options, around) == once);
}

TEST_CASE("prepare: an empty configuration path is refused") {
    Options options;
    options.config.clear();
    auto around = Prepare(options, "rr");
    REQUIRE_FALSE(around);
    REQUIRE(around.error().message == "no configuration file provided");
}

TEST_CASE("prepare: a missing directory ends the command with Go's text") {
    Options options;
    options.work_dir = "/nonexistent/x";
    auto around = Prepare(options, "rr");
    REQUIRE_FALSE(around);
    REQUIRE(around.error().message == "chdir /nonexistent/x: no such file or directory");
}
