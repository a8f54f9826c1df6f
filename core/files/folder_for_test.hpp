// A temporary folder with files in it; for tests.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/file.hpp"
#include "core/base/uuid.hpp"

namespace rr::files {

class FolderForTest {
public:
    FolderForTest()
        : path_(std::filesystem::canonical(TemporaryDirectory()) /
                ("rr-files-" + Uuid::Random().ToString())) {
        std::filesystem::create_directories(path_);
    }
    FolderForTest(const FolderForTest&) = delete;
    FolderForTest& operator=(const FolderForTest&) = delete;
    ~FolderForTest() {
        std::error_code none;
        std::filesystem::remove_all(path_, none);
    }

    std::string path() const { return path_.string(); }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    // Old, so that nobody expects it to change within a clock tick.
    void Write(const std::string& name, const std::string& content, int hours_old = 1) const {
        const std::filesystem::path file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
        std::filesystem::last_write_time(
            file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours_old));
    }
    void Link(const std::string& target, const std::string& name) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::filesystem::create_symlink(target, path_ / name);
    }

private:
    std::filesystem::path path_;
};

}  // namespace rr::files
