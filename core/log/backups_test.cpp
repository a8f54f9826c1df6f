#include "core/log/backups.hpp"

#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "core/log/output.hpp"
#include "core/log/test_folder.hpp"

using namespace rr::log;

namespace {

constexpr int64_t kNow = 1795225956000;  // 2026-11-21T01:52:36.000 UTC
constexpr int64_t kDay = 24 * 3600 * 1000;

std::string Unzip(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");
    std::string text(1 << 16, '\0');
    const int got = gzread(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    text.resize(static_cast<size_t>(std::max(got, 0)));
    return text;
}

}  // namespace

TEST_CASE("backups: names are lumberjack's, with the time in UTC") {
    REQUIRE(BackupPath("/var/log/app.log", kNow) == "/var/log/app-2026-11-21T01-52-36.000.log");
    REQUIRE(BackupPath("app", kNow + 7) == "app-2026-11-21T01-52-36.007");
    REQUIRE(BackupTime("/var/log/app.log", "app-2026-11-21T01-52-36.000.log") == kNow);
    REQUIRE(BackupTime("app.log", "app-2026-11-21T01-52-36.000.log.gz") == kNow);
    for (const char* other :
         {"app.log", "app-2026-11-21T01-52-36.000.txt", "app-new.log", "",
          "app-2026-13-21T01-52-36.000.log", "other-2026-11-21T01-52-36.000.log",
          "app-2026-11-21T01-52-36.000.log.gz.part"}) {
        REQUIRE_FALSE(BackupTime("app.log", other));
    }
}

TEST_CASE("backups: the oldest and the too many go, the rest is compressed") {
    const TestFolder folder;
    RotationConfig rotation;
    rotation.log_output = folder / "app.log";
    rotation.max_age = 10;
    rotation.max_backups = 2;
    rotation.compress = true;
    folder.Write("app.log", "current");
    const auto backup = [&](int64_t age_days) {
        return BackupPath(rotation.log_output, kNow - age_days * kDay);
    };
    for (const int64_t age : {1, 2, 3, 11}) {
        std::ofstream(backup(age)) << "age " << age;
    }
    std::ofstream(folder / "app-notes.log") << "mine";

    const std::atomic<bool> stop{false};
    TidyBackups(rotation, kNow, stop);

    REQUIRE(folder.Files() ==
            std::set<std::string>{"app.log", "app-notes.log",
                                  std::filesystem::path(backup(1) + ".gz").filename().string(),
                                  std::filesystem::path(backup(2) + ".gz").filename().string()});
    REQUIRE(Unzip(backup(1) + ".gz") == "age 1");

    rotation.max_backups = 10;
    rotation.max_age = 1;
    TidyBackups(rotation, kNow + kDay / 2, stop);
    REQUIRE(folder.Files().size() == 2);
}

TEST_CASE("backups: a stop leaves files as they are") {
    const TestFolder folder;
    RotationConfig rotation;
    rotation.log_output = folder / "app.log";
    rotation.compress = true;
    std::ofstream(BackupPath(rotation.log_output, kNow)) << "text";
    const std::atomic<bool> stop{true};
    TidyBackups(rotation, kNow, stop);
    REQUIRE(folder.Files() == std::set<std::string>{"app-2026-11-21T01-52-36.000.log"});
}

TEST_CASE("output: a rotated file is cut between lines when it is full") {
    const TestFolder folder;
    RotationConfig rotation;
    rotation.log_output = folder / "made/on/the/way/app.log";
    rotation.max_size = 1;
    auto opened = OpenRotated(rotation);
    REQUIRE(opened);
    const std::string line(100 * 1024 - 1, 'x');
    std::string batch;
    for (int i = 0; i < 25; ++i) {  // 2.5 MB: ten lines fit into one file
        batch += line + "\n";
    }
    REQUIRE((*opened)->Write(batch));
    opened->reset();

    const std::filesystem::path place = folder / "made/on/the/way";
    std::multiset<uintmax_t> sizes;
    for (const auto& entry : std::filesystem::directory_iterator(place)) {
        sizes.insert(entry.file_size());
    }
    const uintmax_t whole = 10 * 100 * 1024;
    REQUIRE(sizes == std::multiset<uintmax_t>{whole / 2, whole, whole});
    REQUIRE(std::filesystem::file_size(place / "app.log") == whole / 2);
    REQUIRE((std::filesystem::status(place / "app.log").permissions() &
             std::filesystem::perms(0777)) == std::filesystem::perms(0600));
}

TEST_CASE("output: a line longer than a file may be gets a file of its own") {
    const TestFolder folder;
    RotationConfig rotation;
    rotation.log_output = folder / "app.log";
    rotation.max_size = 1;
    auto opened = OpenRotated(rotation);
    REQUIRE(opened);
    REQUIRE((*opened)->Write("short\n"));
    REQUIRE((*opened)->Write(std::string(2 << 20, 'x') + "\nshort\n"));
    opened->reset();
    REQUIRE(folder.Files().size() == 3);
    REQUIRE(folder.Read("app.log") == "short\n");
}

TEST_CASE("output: a file in a folder that is not there is an error with its path") {
    const TestFolder folder;
    auto opened = OpenFile(folder / "no/such/app.log");
    REQUIRE_FALSE(opened);
    REQUIRE(opened.error().message.find("no/such/app.log: No such file or directory") !=
            std::string::npos);
}
