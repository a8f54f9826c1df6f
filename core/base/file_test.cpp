#include "core/base/file.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr {

TEST_CASE("file: a named one has the prefix and random digits, and is removed once") {
    std::string path;
    auto file = File::CreateNamed(TemporaryDirectory(), "upload", {}, path);
    REQUIRE(file);
    std::string name = path.substr(path.rfind('/') + 1);
    REQUIRE(name.rfind("upload", 0) == 0);
    REQUIRE(name.size() > 6);
    REQUIRE(name.find_first_not_of("0123456789", 6) == std::string::npos);
    REQUIRE(file->Write("hello"));
    REQUIRE(RemoveFile(path));
    REQUIRE_FALSE(RemoveFile(path));
}

TEST_CASE("file: what was written into an unlinked one can be read back") {
    auto file = File::CreateUnlinked(TemporaryDirectory());
    REQUIRE(file);
    REQUIRE(file->Write("abc"));
    REQUIRE(file->Write("def"));
    char out[16];
    auto got = file->ReadAt(2, out, sizeof out);
    REQUIRE(got);
    REQUIRE(std::string(out, *got) == "cdef");
    file->Close();
    REQUIRE_FALSE(file->is_open());
}

TEST_CASE("file: a missing directory is an error with its name") {
    auto file = File::CreateUnlinked("/nowhere/at/all");
    REQUIRE_FALSE(file);
    REQUIRE(file.error().message.find("/nowhere/at/all") != std::string::npos);
    std::string path;
    REQUIRE_FALSE(File::CreateNamed("/nowhere/at/all", "upload", {}, path));
}

}  // namespace rr
