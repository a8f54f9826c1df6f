#include "core/files/root.hpp"

#include <sys/stat.h>

#include <filesystem>

#include <catch2/catch.hpp>

#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::files;
using Status = OpenedFile::Status;

namespace {

struct Tree {
    explicit Tree(bool ask_kernel) : beneath(ask_kernel) {
        folder.Write("public/a.txt", "a");
        folder.Write("public/sub/b.txt", "b");
        folder.Write("public/.env", "secret");
        folder.Write("public/.well-known/x.txt", "x");
        folder.Write("storage/c.txt", "c");
        folder.Write("storage/.env", "secret");
        folder.Write("other/d.txt", "d");
    }
    Root Make(std::vector<std::string> links = {}, bool dotfiles = true) const {
        return Root({folder / "public", std::move(links), dotfiles, beneath});
    }
    FolderForTest folder;
    bool beneath;
};

}  // namespace

TEST_CASE("root: files, folders and names that are not there") {
    for (const bool beneath : {true, false}) {
        const Tree tree(beneath);
        Root root = tree.Make();
        REQUIRE(root.there());
        const OpenedFile a = root.Open("a.txt");
        REQUIRE(a.status == Status::kFile);
        REQUIRE(a.stamp.size == 1);
        char c = 0;
        REQUIRE(a.file->ReadAt(0, &c, 1) == size_t{1});
        REQUIRE(c == 'a');
        REQUIRE(root.Open("sub").status == Status::kFolder);
        REQUIRE(root.Open("").status == Status::kFolder);
        REQUIRE(root.Open("nothing.txt").status == Status::kMissing);
        REQUIRE(root.Open("a.txt/b.txt").status == Status::kMissing);
        REQUIRE(root.Open(std::string(300, 'x')).status == Status::kMissing);
        REQUIRE(root.Open(std::string(5000, 'x')).status == Status::kMissing);
    }
}

TEST_CASE("root: nothing above it, even if a name asks for that") {
    const Tree tree(false);
    Root root = tree.Make();
    REQUIRE(root.Open("../storage/c.txt").status == Status::kForbidden);
    REQUIRE(root.Open(tree.folder / "storage/c.txt").status == Status::kForbidden);
    const Tree modern(true);
    REQUIRE(modern.Make().Open("../storage/c.txt").status == Status::kForbidden);
    REQUIRE(modern.Make().Open(modern.folder / "storage/c.txt").status == Status::kForbidden);
}

TEST_CASE("root: links lead below it or below a folder that was named") {
    for (const bool beneath : {true, false}) {
        const Tree tree(beneath);
        tree.folder.Link("a.txt", "public/same.txt");
        tree.folder.Link("../storage", "public/storage");
        tree.folder.Link(tree.folder / "other/d.txt", "public/d.txt");
        tree.folder.Link("/proc/self/environ", "public/environ.txt");
        tree.folder.Link("loop.txt", "public/loop.txt");
        Root root = tree.Make({tree.folder / "storage"});
        REQUIRE(root.Open("same.txt").status == Status::kFile);
        REQUIRE(root.Open("storage/c.txt").status == Status::kFile);
        REQUIRE(root.Open("d.txt").status == Status::kForbidden);
        REQUIRE(root.Open("environ.txt").status == Status::kForbidden);
        REQUIRE(root.Open("loop.txt").status == Status::kForbidden);
        REQUIRE(tree.Make().Open("storage/c.txt").status == Status::kForbidden);
        // A name that only begins like the folder's is another folder.
        std::filesystem::create_directories(tree.folder / "storage-private");
        tree.folder.Write("storage-private/e.txt", "e");
        tree.folder.Link("../storage-private/e.txt", "public/e.txt");
        REQUIRE(root.Open("e.txt").status == Status::kForbidden);
    }
}

TEST_CASE("root: no link leads to a dotfile outside") {
    for (const bool beneath : {true, false}) {
        const Tree tree(beneath);
        tree.folder.Link("../storage", "public/storage");
        tree.folder.Link("../storage/.env", "public/env.txt");
        tree.folder.Link(".env", "public/own.txt");
        Root root = tree.Make({tree.folder.path()});
        REQUIRE(root.Open("storage/c.txt").status == Status::kFile);
        REQUIRE(root.Open("storage/.env").status == Status::kForbidden);
        REQUIRE(root.Open("env.txt").status == Status::kForbidden);
        REQUIRE(root.Open("own.txt").status == Status::kFile);
    }
}

TEST_CASE("root: dotfiles may be left out") {
    for (const bool beneath : {true, false}) {
        const Tree tree(beneath);
        tree.folder.Link(".env", "public/own.txt");
        REQUIRE(tree.Make().Open(".env").status == Status::kFile);
        Root root = tree.Make({}, false);
        REQUIRE(root.Open(".env").status == Status::kMissing);
        REQUIRE(root.Open(".well-known/x.txt").status == Status::kMissing);
        REQUIRE(root.Open("own.txt").status == Status::kForbidden);
        REQUIRE(root.Open("a.txt").status == Status::kFile);
    }
}

TEST_CASE("root: only regular files, and a pipe holds nobody") {
    const Tree tree(true);
    const std::string pipe = tree.folder / "public/pipe.txt";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    REQUIRE(tree.Make().Open("pipe.txt").status == Status::kForbidden);
    REQUIRE(OpenAnyFile(pipe).status == Status::kForbidden);
}

TEST_CASE("root: a folder behind a link is looked up anew") {
    const Tree tree(true);
    tree.folder.Write("release2/a.txt", "second");
    tree.folder.Link("public", "current");
    Root root({tree.folder / "current", {}, true, true});
    REQUIRE(root.Open("a.txt").stamp.size == 1);
    REQUIRE_FALSE(root.Refresh());
    std::filesystem::remove(tree.folder / "current");
    REQUIRE(root.Refresh());
    REQUIRE_FALSE(root.there());
    REQUIRE(root.Open("a.txt").status == Status::kMissing);
    tree.folder.Link("release2", "current");
    REQUIRE(root.Refresh());
    REQUIRE(root.Open("a.txt").stamp.size == 6);
}

TEST_CASE("root: which path lies below which") {
    REQUIRE(IsBelow("/a/b", "/a"));
    REQUIRE(IsBelow("/a", "/a"));
    REQUIRE(IsBelow("/a", "/"));
    REQUIRE_FALSE(IsBelow("/ab", "/a"));
    REQUIRE_FALSE(IsBelow("/a", "/a/b"));
    REQUIRE_FALSE(IsBelow("/a", ""));
    REQUIRE_FALSE(IsBelow("", "/"));
}
