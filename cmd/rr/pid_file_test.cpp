#include "cmd/rr/pid_file.hpp"

#include <filesystem>

#include <catch2/catch.hpp>

using namespace rr::cmd;

TEST_CASE("pid file: blanks and line ends around the number are nothing") {
    REQUIRE(*ParsePid("123") == 123);
    REQUIRE(*ParsePid(" 123\r\n") == 123);
}

TEST_CASE("pid file: what is no pid is refused with RoadRunner's text") {
    REQUIRE(ParsePid("12x").error().message == "strconv.Atoi: parsing \"12x\": invalid syntax");
    REQUIRE(ParsePid("\n").error().message == "strconv.Atoi: parsing \"\": invalid syntax");
    REQUIRE_FALSE(ParsePid("1 2"));
    REQUIRE_FALSE(ParsePid("0"));
    REQUIRE_FALSE(ParsePid("-1"));
    REQUIRE_FALSE(ParsePid("99999999999999999999"));
}

TEST_CASE("pid file: it is removed by its own server only") {
    std::string path = std::filesystem::temp_directory_path() / "rr_pid_file_test";
    REQUIRE(WritePidFile(path, 4242));
    REQUIRE(std::filesystem::file_size(path) == 4);
    REQUIRE(*ReadPidFile(path) == 4242);
    RemovePidFile(path, 17);
    REQUIRE(std::filesystem::exists(path));
    RemovePidFile(path, 4242);
    REQUIRE_FALSE(std::filesystem::exists(path));
    REQUIRE(ReadPidFile(path).error().message == "open " + path + ": no such file or directory");
}
