#include "plugins/http/file_writer.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::http {
namespace {

struct Watcher final : FileWriterHandler {
    int batches = 0;
    void OnFilesWritten() override { ++batches; }
};

struct Fixture {
    Loop loop{"test"};
    Watcher watcher;
    bool gone = false;

    FileWriter::Pointer Make(const std::string& directory) {
        return FileWriter::Make(loop, &watcher, directory, {}, [this] { gone = true; });
    }
    void Settle(FileWriter& writer) {
        writer.Flush();
        REQUIRE(loop.RunUntil([&writer] {
            writer.Flush();
            return writer.idle();
        }));
    }
};

std::string Content(const FileWriter& writer, size_t index) {
    const auto& entry = writer.entry(index);
    std::string out(entry.size + 1, '\0');
    auto got = entry.file.ReadAt(0, out.data(), out.size());
    REQUIRE(got);
    out.resize(*got);
    return out;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "file writer: a spooled body holds every byte in order") {
    auto writer = Make(TemporaryDirectory());
    size_t index = writer->Begin(false);
    std::string all;
    for (int i = 0; i < 400; ++i) {
        std::string piece(1000, static_cast<char>('a' + i % 26));
        all += piece;
        writer->Write(piece);
    }
    REQUIRE(writer->full());
    Settle(*writer);
    REQUIRE_FALSE(writer->full());
    REQUIRE(watcher.batches >= 2);
    REQUIRE(writer->entry(index).size == all.size());
    REQUIRE(Content(*writer, index) == all);
    writer.reset();
    REQUIRE(loop.RunUntil([this] { return gone; }));
}

TEST_CASE_METHOD(Fixture,
                 "file writer: named files are deleted at the end unless somebody moved them") {
    auto writer = Make(TemporaryDirectory());
    writer->Begin(true);
    writer->Write("first");
    writer->End();
    writer->Begin(true);
    writer->End();
    Settle(*writer);
    std::string first = writer->entry(0).path;
    std::string second = writer->entry(1).path;
    REQUIRE(writer->entry(0).size == 5);
    REQUIRE(writer->entry(1).size == 0);
    REQUIRE(RemoveFile(second));
    writer.reset();
    REQUIRE(loop.RunUntil([this] { return gone; }));
    REQUIRE_FALSE(RemoveFile(first));
}

TEST_CASE_METHOD(Fixture,
                 "file writer: one that cannot be created says so and swallows its bytes") {
    auto writer = Make("/nowhere/at/all");
    writer->Begin(true);
    writer->Write("lost");
    writer->End();
    Settle(*writer);
    REQUIRE(writer->entry(0).failure == FileWriter::Failure::kCreate);
    REQUIRE(writer->entry(0).size == 0);
    writer.reset();
    REQUIRE(loop.RunUntil([this] { return gone; }));
}

TEST_CASE_METHOD(Fixture, "file writer: let go while a batch is in flight it still cleans up") {
    auto writer = Make(TemporaryDirectory());
    writer->Begin(true);
    writer->Write(std::string(100'000, 'x'));
    writer.reset();
    REQUIRE(loop.RunUntil([this] { return gone; }));
    REQUIRE(watcher.batches == 0);
}

}  // namespace rr::http
