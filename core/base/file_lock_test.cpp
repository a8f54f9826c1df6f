#include "core/base/file_lock.hpp"

#include <unistd.h>

#include <cstdlib>

#include <catch2/catch.hpp>

#include "core/base/file.hpp"

using namespace rr;

TEST_CASE("file lock: one at a time, and free again with its owner") {
    char name[] = "/tmp/rr-lock-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    const std::string path = std::string(name) + "/file";
    {
        Result<FileLock> first = FileLock::Take(path, 0600);
        REQUIRE(first.has_value());
        REQUIRE(first->held());
        Result<FileLock> second = FileLock::Take(path, 0600);
        REQUIRE_FALSE(second.has_value());
        REQUIRE(second.error().code == Errc::kBusy);
        REQUIRE(second.error().message == path + " is in use by another process");
        FileLock moved = std::move(*first);
        REQUIRE_FALSE(FileLock::Take(path, 0600).has_value());
    }
    REQUIRE(FileLock::Take(path, 0600).has_value());
    REQUIRE(RemoveFile(path));
    REQUIRE(rmdir(name) == 0);
}

TEST_CASE("file lock: a place where no file can be is said") {
    Result<FileLock> lock = FileLock::Take("/nowhere/at/all", 0600);
    REQUIRE_FALSE(lock.has_value());
    REQUIRE(lock.error().message == "open /nowhere/at/all: No such file or directory");
}
