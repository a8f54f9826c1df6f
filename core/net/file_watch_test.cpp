#include "core/net/file_watch.hpp"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::net;
namespace fs = std::filesystem;

namespace {

// A folder of its own, watched for `.php`; folders named `no` are not entered.
class Place final : public FileWatchHandler {
public:
    Place() {
        char name[] = "/tmp/rr-watch-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        root = name;
    }
    ~Place() {
        watch.reset();
        fs::remove_all(root);
    }
    void Open(std::vector<FileWatch::Root> roots) {
        auto opened = FileWatch::Open(loop, std::move(roots), *this);
        REQUIRE(opened);
        watch = std::move(*opened);
    }
    void Open(bool recursive = true) { Open({{root, recursive}}); }
    std::string At(const std::string& name) const { return root + "/" + name; }
    void Write(const std::string& name, const std::string& text = "<?php") const {
        fs::create_directories(fs::path(At(name)).parent_path());
        std::ofstream(At(name)) << text;
    }
    bool Saw(const std::string& name) const {
        return std::find(seen.begin(), seen.end(), At(name)) != seen.end();
    }
    // Waits for a change of `name`, and forgets what was seen.
    bool Sees(const std::string& name) {
        bool got = loop.RunUntil([&] { return Saw(name); }, std::chrono::seconds(10));
        seen.clear();
        return got;
    }
    // All that happened so far has been told when this file's own change is.
    void Settle(const std::string& folder = "") {
        std::string marker = folder + "marker.php";
        Write(marker, std::to_string(++markers));
        loop.RunUntil([&] { return Saw(marker); }, std::chrono::seconds(10));
        REQUIRE(Saw(marker));
    }

    bool WantsFolder(std::string_view, std::string_view name) const override {
        return name != "no";
    }
    bool WantsFile(std::string_view, std::string_view name) const override {
        return name.find(".php") != std::string_view::npos;
    }
    void OnFileChange(FileChange change, std::string_view path) override {
        seen.emplace_back(path);
        changes.push_back(change);
    }
    void OnChangesLost() override { ++lost; }
    void OnWatchTrouble(std::string_view text) override { troubles.emplace_back(text); }

    Loop loop{"test"};
    std::string root;
    std::vector<std::string> seen;
    std::vector<FileChange> changes;
    std::vector<std::string> troubles;
    int lost = 0;
    int markers = 0;
    std::unique_ptr<FileWatch> watch;
};

}  // namespace

TEST_CASE("file watch: a file is created, written, touched and removed") {
    Place p;
    p.Open();
    p.Write("a.php");
    REQUIRE(p.Sees("a.php"));
    REQUIRE(p.changes.front() == FileChange::kCreated);
    p.Settle();
    p.changes.clear();
    std::ofstream(p.At("a.php"), std::ios::app) << "more";
    REQUIRE(p.Sees("a.php"));
    REQUIRE(p.changes.front() == FileChange::kUpdated);
    fs::permissions(p.At("a.php"), fs::perms::owner_read);
    REQUIRE(p.Sees("a.php"));
    p.changes.clear();
    fs::remove(p.At("a.php"));
    REQUIRE(p.Sees("a.php"));
    REQUIRE(p.changes.front() == FileChange::kRemoved);
}

TEST_CASE("file watch: an editor that writes a new file and renames it") {
    Place p;
    p.Write("a.php");
    p.Open();
    p.Write(".a.swp");
    fs::rename(p.At(".a.swp"), p.At("a.php"));
    REQUIRE(p.Sees("a.php"));
}

TEST_CASE("file watch: reading a file and opening it for writing is no change") {
    Place p;
    p.Write("a.php");
    p.Open();
    {
        std::string text;
        std::ifstream(p.At("a.php")) >> text;
        std::fstream nothing(p.At("a.php"), std::ios::in | std::ios::out);
    }
    p.Settle();
    REQUIRE_FALSE(p.Saw("a.php"));
}

TEST_CASE("file watch: other files, folders that are not wanted, links are left alone") {
    Place p;
    p.Write("no/a.php");
    p.Write("other/a.php");
    fs::create_directory(p.At("in"));
    fs::create_directory_symlink(p.At("no"), p.At("in/link"));
    p.Open();
    p.Write("a.txt");
    p.Write("no/a.php", "x");
    p.Write("no/deep/a.php");
    p.Settle();
    REQUIRE(p.watch->folders() == 3);
    for (const std::string& path : p.seen) {
        REQUIRE(path == p.At("marker.php"));
    }
}

TEST_CASE("file watch: without recursion only the folder's own files count") {
    Place p;
    p.Write("sub/a.php");
    p.Open(false);
    p.Write("sub/a.php", "x");
    p.Write("new/b.php");
    p.Settle();
    REQUIRE_FALSE(p.Saw("sub/a.php"));
    REQUIRE_FALSE(p.Saw("new/b.php"));
    REQUIRE(p.watch->folders() == 1);
}

TEST_CASE("file watch: folders that come later are watched, with what they already hold") {
    Place p;
    p.Open();
    p.Write("x/y/z/a.php");
    REQUIRE(p.Sees("x/y/z/a.php"));
    p.Settle("x/y/z/");
    p.seen.clear();
    p.Write("x/y/z/a.php", "more");
    REQUIRE(p.Sees("x/y/z/a.php"));
}

TEST_CASE("file watch: a folder moved in, renamed and moved out") {
    Place p;
    p.Write("outside/src/a.php");
    fs::create_directory(p.At("tree"));
    p.Open({{p.At("tree"), true}});
    fs::rename(p.At("outside/src"), p.At("tree/src"));
    REQUIRE(p.Sees("tree/src/a.php"));
    fs::rename(p.At("tree/src"), p.At("tree/lib"));
    REQUIRE(p.Sees("tree/lib/a.php"));
    p.Write("tree/lib/a.php", "more");
    REQUIRE(p.Sees("tree/lib/a.php"));
    fs::rename(p.At("tree/lib"), p.At("outside/lib"));
    REQUIRE(p.Sees("tree/lib"));
    REQUIRE(p.watch->folders() == 1);
    p.Write("outside/lib/a.php", "again");
    p.Settle("tree/");
    for (const std::string& path : p.seen) {
        REQUIRE(path == p.At("tree/marker.php"));
    }
}

TEST_CASE("file watch: a folder without wanted files goes unnoticed") {
    Place p;
    p.Write("images/a.png");
    p.Write("tree/a.php");
    p.Open({{p.root, true}});
    fs::create_directory(p.At("no"));
    fs::rename(p.At("images"), p.At("no/images"));
    p.Settle();
    REQUIRE_FALSE(p.Saw("images"));
}

TEST_CASE("file watch: a root that is removed and made anew is watched again") {
    Place p;
    p.Write("app/src/a.php");
    p.Open({{p.At("app/src"), true}});
    for (int i = 0; i < 3; ++i) {
        fs::remove_all(p.At("app"));
        REQUIRE(p.loop.RunUntil([&] { return !p.watch->watching(0); }));
        p.seen.clear();
        p.Write("app/src/sub/a.php");
        REQUIRE(p.Sees("app/src/sub/a.php"));
        REQUIRE(p.watch->watching(0));
        p.Settle("app/src/sub/");
        p.seen.clear();
    }
}

TEST_CASE("file watch: a root that does not exist yet") {
    Place p;
    p.Open({{p.At("a/b/c"), true}});
    REQUIRE_FALSE(p.watch->watching(0));
    p.Write("a/b/c/d/a.php");
    REQUIRE(p.Sees("a/b/c/d/a.php"));
    REQUIRE(p.watch->watching(0));
}

TEST_CASE("file watch: a root that is a link is followed, also to where it is set later") {
    Place p;
    p.Write("one/a.php");
    p.Write("two/b.php");
    fs::create_directory_symlink(p.At("one"), p.At("current"));
    p.Open({{p.At("current"), true}});
    p.Write("one/a.php", "more");
    REQUIRE(p.Sees("current/a.php"));
    fs::create_directory_symlink(p.At("two"), p.At("next"));
    fs::rename(p.At("next"), p.At("current"));
    REQUIRE(p.Sees("current/b.php"));
    p.Write("two/b.php", "more");
    REQUIRE(p.Sees("current/b.php"));
    p.seen.clear();
    p.Write("one/a.php", "again");
    p.Write("two/b.php", "again");
    REQUIRE(p.loop.RunUntil([&] { return p.Saw("current/b.php"); }));
    REQUIRE_FALSE(p.Saw("current/a.php"));
}

TEST_CASE("file watch: roots inside each other, and one twice") {
    Place p;
    p.Write("no/a.php");
    p.Open({{p.root, true}, {p.At("no"), false}, {p.root, false}});
    p.Write("no/a.php", "more");
    REQUIRE(p.Sees("no/a.php"));
    fs::remove_all(p.At("no"));
    REQUIRE(p.loop.RunUntil([&] { return !p.watch->watching(1); }));
    REQUIRE(p.watch->watching(0));
    p.Write("no/a.php");
    REQUIRE(p.Sees("no/a.php"));
}

TEST_CASE("file watch: after lost changes everything is watched anew") {
    Place p;
    p.Write("src/a.php");
    p.Open();
    fs::create_directory(p.At("late"));
    p.watch->LoseChanges();
    REQUIRE(p.watch->folders() == 3);
    p.Write("late/a.php");
    REQUIRE(p.Sees("late/a.php"));
    p.Write("src/a.php", "more");
    REQUIRE(p.Sees("src/a.php"));
}

TEST_CASE("file watch: more changes than the system keeps are told as lost") {
    Place p;
    p.Write("a.php");
    p.Open();
    size_t most = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
    REQUIRE(most > 0);
    if (most > 100000) {
        return;
    }
    // Two equal events in a row are one.
    std::ofstream a(p.At("a.php"));
    std::ofstream b(p.At("b.php"));
    for (size_t i = 0; i < most; ++i) {
        (a << 'x').flush();
        (b << 'x').flush();
    }
    REQUIRE(p.loop.RunUntil([&] { return p.lost > 0; }, std::chrono::seconds(20)));
    p.seen.clear();
    p.Write("c.php");
    REQUIRE(p.Sees("c.php"));
}
