#include "cmd/rr/arguments.hpp"

#include <catch2/catch.hpp>

#include "cmd/rr/options.hpp"

using namespace rr::cmd;
using Words = std::vector<std::string>;

static Words Normal(const Words& typed) {
    auto read = ReadArguments(typed, "rr");
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    return Canonical(*read);
}

static std::string Refused(const Words& typed) {
    auto read = ReadArguments(typed, "rr");
    REQUIRE_FALSE(read);
    return read.error().message;
}

TEST_CASE("arguments: every way to give a flag its value means the same") {
    Words expected = {"serve", "--config", "x.yaml"};
    REQUIRE(Normal({"serve", "-c", "x.yaml"}) == expected);
    REQUIRE(Normal({"serve", "-c=x.yaml"}) == expected);
    REQUIRE(Normal({"serve", "-cx.yaml"}) == expected);
    REQUIRE(Normal({"serve", "--config", "x.yaml"}) == expected);
    REQUIRE(Normal({"serve", "--config=x.yaml"}) == expected);
    REQUIRE(Normal({"-c", "x.yaml", "serve"}) == expected);
    REQUIRE(Normal({"--config=x.yaml", "serve"}) == expected);
}

TEST_CASE("arguments: switches may be bundled, the last one with a value") {
    REQUIRE(Normal({"serve", "-dpsc", "x"}) ==
            Words{"serve", "--debug=true", "--pid=true", "--silent=true", "--config", "x"});
    REQUIRE(Normal({"serve", "-ds=false"}) == Words{"serve", "--debug=true", "--silent=false"});
}

TEST_CASE("arguments: one override is one pair, commas and equals signs included") {
    REQUIRE(Normal({"serve", "-o", "a=b,c=d", "-o=e=f"}) ==
            Words{"serve", "--override", "a=b,c=d", "--override", "e=f"});
}

TEST_CASE("arguments: a value may look like a flag or a command") {
    REQUIRE(Normal({"-c", "serve", "stop"}) == Words{"stop", "--config", "serve"});
    REQUIRE(Normal({"serve", "-c", "-x"}) == Words{"serve", "--config", "-x"});
    REQUIRE(Normal({"serve", "--config="}) == Words{"serve", "--config", ""});
}

TEST_CASE("arguments: surplus words are kept apart and judged by nobody here") {
    auto read = ReadArguments({"serve", "a", "-d", "b", "--", "-z"}, "rr");
    REQUIRE(read);
    REQUIRE(read->positional == Words{"a", "b", "-z"});
}

TEST_CASE("arguments: -v is the version of the bare program and 1.x's verbose of serve") {
    REQUIRE(Normal({"-v"}) == Words{"--version=true"});
    REQUIRE(Normal({"--version"}) == Words{"--version=true"});
    REQUIRE(Normal({"serve", "-d", "-v"}) == Words{"serve", "--debug=true", "--verbose=true"});
    REQUIRE(Normal({"serve", "--workDir=/x"}) == Words{"serve", "--WorkDir", "/x"});
    REQUIRE(Refused({"stop", "-v"}) == "unknown shorthand flag: 'v' in -v");
    REQUIRE(Refused({"serve", "--version"}) == "unknown flag: --version");
}

TEST_CASE("arguments: what is not known is refused with RoadRunner's texts") {
    REQUIRE(Refused({"serve", "--bogus"}) == "unknown flag: --bogus");
    REQUIRE(Refused({"serve", "--bogus=1"}) == "unknown flag: --bogus");
    REQUIRE(Refused({"serve", "-z"}) == "unknown shorthand flag: 'z' in -z");
    REQUIRE(Refused({"serve", "-dzp"}) == "unknown shorthand flag: 'z' in -zp");
    REQUIRE(Refused({"serve", "-c"}) == "flag needs an argument: 'c' in -c");
    REQUIRE(Refused({"serve", "--config"}) == "flag needs an argument: --config");
    REQUIRE(Refused({"serve", "--silent=maybe"}) ==
            "invalid argument \"maybe\" for \"-s, --silent\" flag: strconv.ParseBool: parsing "
            "\"maybe\": invalid syntax");
    REQUIRE(Refused({"serv"}) ==
            "unknown command \"serv\" for \"rr\"\n\nDid you mean this?\n\tserve\n");
    REQUIRE(Refused({"frobnicate"}) == "unknown command \"frobnicate\" for \"rr\"");
    REQUIRE(Refused({"serve", "--strict"}) == "unknown flag: --strict");
}

TEST_CASE("arguments: flags belong to the commands that have them") {
    REQUIRE(Normal({"workers", "-i", "http"}) == Words{"workers", "--interactive=true"});
    REQUIRE(Normal({"http:reset", "--json"}) == Words{"http:reset", "--json=true"});
    REQUIRE(Refused({"serve", "--rpc", "tcp://:1"}) == "unknown flag: --rpc");
    REQUIRE(Refused({"reset", "-i"}) == "unknown shorthand flag: 'i' in -i");
    REQUIRE(Suggestions("worker") == std::vector<std::string_view>{"workers"});
}

TEST_CASE("arguments: a command's flag with a value may stand before the command") {
    REQUIRE(Normal({"--rpc", "tcp://:1", "workers"}) == Words{"workers", "--rpc", "tcp://:1"});
}

TEST_CASE("options: plugins are what is left of the arguments") {
    auto options = ParseOptions({"workers", "http", "-i", "tcp", "--rpc=unix://x"}, "rr");
    REQUIRE(options);
    REQUIRE(options->positional == Words{"http", "tcp"});
    REQUIRE(options->interactive);
    REQUIRE(options->rpc == "unix://x");
    REQUIRE(ParseOptions({"http:workers", "-i"}, "rr")->command == "http:workers");
}

TEST_CASE("options: values arrive as they were typed, the last one wins") {
    auto options = ParseOptions({"-c", "a", "serve", "-c=b", "-o", "k=[1,2]", "-o", "x=y", "-f",
                                 "--dotenv", "e", "-j", "{\"a\": 1}", "-l", "plain", "-e"},
                                "rr");
    INFO((options ? "" : options.error().message));
    REQUIRE(options);
    REQUIRE(options->command == "serve");
    REQUIRE(options->config == "b");
    REQUIRE(options->overrides == Words{"k=[1,2]", "x=y"});
    REQUIRE(options->force);
    REQUIRE(options->experimental);
    REQUIRE(options->dotenv == "e");
    REQUIRE(options->json_config == "{\"a\": 1}");
    REQUIRE(options->log_format == "plain");
    REQUIRE_FALSE(options->silent);
}

TEST_CASE("options: an empty value stays empty") {
    auto options = ParseOptions({"serve", "--config=", "-d=false"}, "rr");
    REQUIRE(options);
    REQUIRE(options->config.empty());
    REQUIRE_FALSE(options->debug);
}

TEST_CASE("options: help names the commands and their options") {
    auto help = HelpText("rr", "");
    REQUIRE(help);
    for (const char* text : {"serve", "stop", "check", "completion", "--config", "--WorkDir"}) {
        REQUIRE(help->find(text) != std::string::npos);
    }
    for (const char* text : {"  http:workers  ", "--logFormat", "--jsonConfig", "--workDir"}) {
        REQUIRE(help->find(text) != std::string::npos);
    }
    REQUIRE(help->find("http-workers") == std::string::npos);
    REQUIRE(HelpText("rr", "workers")->find("rr workers [OPTIONS] [plugin...]\n") !=
            std::string::npos);
    auto check = HelpText("rr", "check");
    REQUIRE(check);
    REQUIRE(check->find("--strict") != std::string::npos);
    REQUIRE(check->find("--config") != std::string::npos);
    REQUIRE_FALSE(HelpText("rr", "nosuch"));
}
