#include "core/config/dotenv.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

namespace rr::config {
namespace {

std::string Read(std::string_view text) {
    auto parsed = ParseDotenv(text);
    if (!parsed) {
        return parsed.error().message;
    }
    std::string out;
    for (const auto& [name, value] : *parsed) {
        out.append(name).append("=").append(value).append(";");
    }
    return out;
}

}  // namespace

TEST_CASE("dotenv: the forms of a line") {
    REQUIRE(Read("A=1\n# c\nexport B=2\nC: 3\n  D = 4  \nE=\nF='x # y' # c\nG=\"a\\nb\"\n") ==
            "A=1;B=2;C=3;D=4;E=;F=x # y;G=a\nb;");
    REQUIRE(Read("A=x # c\nB=x#y\nC=#c\r\nD=1\r\n") == "A=x;B=x#y;C=;D=1;");
    REQUIRE(Read("A=\"two\nlines\"\nB=1") == "A=two\nlines;B=1;");
    REQUIRE(Read("exported=1\na.b=2\n") == "exported=1;a.b=2;");
    REQUIRE(Read("") == "");
    REQUIRE(Read("A=1\nA=2\n") == "A=2;");
}

TEST_CASE("dotenv: variables of the same file are replaced, but not in single quotes") {
    REQUIRE(Read("H=h\nA=${H}:$H\nB=\"${H}x\"\nC='${H}'\nD=$NONE.\nE=\"\\$H\"\nF=$lower$\n") ==
            "H=h;A=h:h;B=hx;C=${H};D=.;E=$H;F=$lower$;");
    REQUIRE(Read("A=\"q\\\"q\\\\\"\n") == "A=q\"q\\;" + std::string());
}

TEST_CASE("dotenv: bad lines are named") {
    REQUIRE(Read("FOO\nA=1\n") == "unexpected character \"\\n\" in variable name near \"FOO\"");
    REQUIRE(Read("A-B=1\n") == "unexpected character \"-\" in variable name near \"A-B=1\"");
    REQUIRE(Read("A='x\n") == "unterminated quoted value 'x");
    REQUIRE(Read("FOO") == "expected NAME=value near \"FOO\"");
    REQUIRE(Read("=1\n") == "expected NAME=value near \"=1\"");
    REQUIRE(Read(std::string_view("A=\0", 3)) == "a NUL byte is not allowed");
}

TEST_CASE("dotenv: applying keeps what is set, unless told to overwrite") {
    const auto path =
        std::filesystem::temp_directory_path() /
        ("rr-dotenv-" +
         std::to_string(std::filesystem::hash_value(std::filesystem::current_path())));
    std::ofstream(path) << "RR_TEST_DOTENV_A=new\nRR_TEST_DOTENV_B=b\n";
    ::setenv("RR_TEST_DOTENV_A", "old", 1);
    ::unsetenv("RR_TEST_DOTENV_B");
    REQUIRE(ApplyDotenv(path.string()).has_value());
    REQUIRE(std::string(::getenv("RR_TEST_DOTENV_A")) == "old");
    REQUIRE(std::string(::getenv("RR_TEST_DOTENV_B")) == "b");
    REQUIRE(ApplyDotenv(path.string(), true).has_value());
    REQUIRE(std::string(::getenv("RR_TEST_DOTENV_A")) == "new");
    ::unsetenv("RR_TEST_DOTENV_A");
    ::unsetenv("RR_TEST_DOTENV_B");
    std::filesystem::remove(path);
    REQUIRE(ApplyDotenv("nope.env").error().message == "open nope.env: no such file or directory");
}

}  // namespace rr::config
