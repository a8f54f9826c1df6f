#include "core/files/file_cache.hpp"

#include <chrono>
#include <filesystem>
#include <vector>

#include <catch2/catch.hpp>

#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::files;
using namespace std::chrono_literals;
using Status = OpenedFile::Status;

namespace {

struct Late final : Background {
    void Run(Work work) override { waiting.push_back(std::move(work)); }
    std::vector<Work> waiting;
};

struct Fixture {
    FileCache::Options Options() const {
        FileCache::Options options;
        options.root.folder = folder.path();
        return options;
    }
    FolderForTest folder;
    Foreground background;
    Instant now{};
};

}  // namespace

TEST_CASE("file_cache: a small file is read, a large one stays open") {
    Fixture f;
    f.folder.Write("a.css", "p{}");
    f.folder.Write("large.bin", std::string(100'000, 'x'));
    FileCache cache(f.Options(), f.background);
    const CachedFile& small = cache.Find("a.css", f.now);
    REQUIRE(small.is_file());
    REQUIRE(small.plain.content == "p{}");
    REQUIRE_FALSE(small.plain.file);
    REQUIRE(small.plain.content_type == "text/css; charset=utf-8");
    REQUIRE(small.plain.etag.empty());
    const CachedFile& large = cache.Find("large.bin", f.now);
    REQUIRE(large.plain.file);
    REQUIRE(large.plain.size == 100'000);
    REQUIRE(cache.files() == 2);
    REQUIRE(cache.memory() == 3);
}

TEST_CASE("file_cache: an unknown extension's content is looked at") {
    Fixture f;
    f.folder.Write("a.unknown", "<html><p>");
    f.folder.Write("b.unknown", "%PDF-1.4" + std::string(100'000, 'x'));
    FileCache cache(f.Options(), f.background);
    REQUIRE(cache.Find("a.unknown", f.now).plain.content_type == "text/html; charset=utf-8");
    REQUIRE(cache.Find("b.unknown", f.now).plain.content_type == "application/pdf");
}

TEST_CASE("file_cache: within the time nothing is asked, then the change is seen") {
    Fixture f;
    f.folder.Write("a.txt", "old");
    FileCache cache(f.Options(), f.background);
    REQUIRE(cache.Find("a.txt", f.now).plain.content == "old");
    REQUIRE_FALSE(cache.Find("b.txt", f.now).is_file());
    f.folder.Write("a.txt", "new", 2);
    f.folder.Write("b.txt", "b");
    REQUIRE(cache.Find("a.txt", f.now + 999ms).plain.content == "old");
    REQUIRE_FALSE(cache.Find("b.txt", f.now + 999ms).is_file());
    REQUIRE(cache.Find("a.txt", f.now + 1s).plain.content == "new");
    REQUIRE(cache.Find("b.txt", f.now + 1s).is_file());
    std::filesystem::remove(f.folder / "a.txt");
    REQUIRE(cache.Find("a.txt", f.now + 1999ms).is_file());
    REQUIRE_FALSE(cache.Find("a.txt", f.now + 2s).is_file());
    REQUIRE(cache.files() == 1);
    REQUIRE(cache.missing() == 1);
}

TEST_CASE("file_cache: a file that changed a moment ago is read again, whatever its stamp says") {
    Fixture f;
    f.folder.Write("a.txt", "one", 0);
    FileCache cache(f.Options(), f.background);
    REQUIRE_FALSE(cache.Find("a.txt", f.now).plain.settled);
    const auto time = std::filesystem::last_write_time(f.folder / "a.txt");
    f.folder.Write("a.txt", "two", 0);
    std::filesystem::last_write_time(f.folder / "a.txt", time);
    REQUIRE(cache.Find("a.txt", f.now + 1s).plain.content == "two");
}

TEST_CASE("file_cache: RoadRunner's strong ETag") {
    Fixture f;
    f.folder.Write("a.txt", "hello static\n");
    f.folder.Write("empty.txt", "");
    f.folder.Write("large.txt", std::string(100'000, 'x'));
    FileCache::Options options = f.Options();
    options.etag = ETag::kStrong;
    FileCache cache(options, f.background);
    REQUIRE(cache.Find("a.txt", f.now).plain.etag == "\"13-4037175136\"");
    REQUIRE(cache.Find("empty.txt", f.now).plain.etag.empty());
    const uint32_t sum = Checksum(Polynomial::kStatic, std::string(100'000, 'x'));
    REQUIRE(cache.Find("large.txt", f.now).plain.etag == "\"100000-" + std::to_string(sum) + "\"");
}

TEST_CASE("file_cache: a very large file is summed up in the background, once") {
    Fixture f;
    const std::string content(3 << 20, 'x');
    f.folder.Write("huge.txt", content);
    FileCache::Options options = f.Options();
    options.etag = ETag::kStrong;
    Late late;
    FileCache cache(options, late);
    REQUIRE(cache.Find("huge.txt", f.now).plain.etag.empty());
    REQUIRE(cache.Find("huge.txt", f.now).plain.etag.empty());
    REQUIRE(late.waiting.size() == 1);
    late.waiting[0](false);
    const std::string etag = cache.Find("huge.txt", f.now).plain.etag;
    REQUIRE(etag == "\"3145728-" + std::to_string(Checksum(Polynomial::kStatic, content)) + "\"");
}

TEST_CASE("file_cache: a weak ETag changes with the file's time and size") {
    Fixture f;
    f.folder.Write("a.txt", "one");
    FileCache::Options options = f.Options();
    options.etag = ETag::kWeak;
    FileCache cache(options, f.background);
    const std::string first = cache.Find("a.txt", f.now).plain.etag;
    REQUIRE(first.substr(0, 3) == "W/\"");
    f.folder.Write("a.txt", "one", 5);
    const std::string second = cache.Find("a.txt", f.now + 1s).plain.etag;
    REQUIRE(second != first);
    f.folder.Write("a.txt", "four", 5);
    REQUIRE(cache.Find("a.txt", f.now + 2s).plain.etag != second);
}

TEST_CASE("file_cache: siblings that are compressed already") {
    Fixture f;
    f.folder.Write("a.js", "plain");
    f.folder.Write("a.js.br", "brotli");
    f.folder.Write("a.js.gz", "gzip");
    FileCache::Options options = f.Options();
    REQUIRE_FALSE(FileCache(options, f.background).Find("a.js", f.now).has_encoded());
    options.precompressed = true;
    FileCache cache(options, f.background);
    const CachedFile& found = cache.Find("a.js", f.now);
    REQUIRE(found.encoded[0]->content == "brotli");
    REQUIRE(found.encoded[0]->encoding == "br");
    REQUIRE(found.encoded[0]->content_type == "text/javascript; charset=utf-8");
    REQUIRE_FALSE(found.encoded[1]);
    REQUIRE(found.encoded[2]->content == "gzip");
    REQUIRE(cache.files() == 3);
    std::filesystem::remove(f.folder / "a.js.br");
    REQUIRE_FALSE(cache.Find("a.js", f.now + 1s).encoded[0]);
    REQUIRE(cache.files() == 2);
}

TEST_CASE("file_cache: a sibling has the plain file's type, also one that was found by looking") {
    Fixture f;
    f.folder.Write("a.unknown", "<html><p>");
    f.folder.Write("a.unknown.br", "plain text, it seems");
    f.folder.Write("a.unknown.gz", "\x1f\x8b\x08");
    FileCache::Options options = f.Options();
    options.precompressed = true;
    FileCache cache(options, f.background);
    const CachedFile& found = cache.Find("a.unknown", f.now);
    REQUIRE(found.plain.content_type == "text/html; charset=utf-8");
    REQUIRE(found.encoded[0]->content_type == "text/html; charset=utf-8");
    REQUIRE(found.encoded[2]->content_type == "text/html; charset=utf-8");
    f.folder.Write("a.unknown", "%PDF-1.4", 2);
    const CachedFile& later = cache.Find("a.unknown", f.now + 1s);
    REQUIRE(later.encoded[0]->content_type == "application/pdf");
}

TEST_CASE("file_cache: its limits hold, what was used last stays") {
    Fixture f;
    for (int i = 0; i < 20; ++i) {
        f.folder.Write(std::to_string(i) + ".txt", std::string(100, 'x'));
    }
    FileCache::Options options = f.Options();
    options.max_files = 5;
    FileCache cache(options, f.background);
    for (int i = 0; i < 20; ++i) {
        cache.Find("0.txt", f.now);
        cache.Find(std::to_string(i) + ".txt", f.now);
        cache.Find("missing" + std::to_string(i), f.now);
    }
    REQUIRE(cache.files() == 5);
    REQUIRE(cache.missing() == 5);
    std::filesystem::remove(f.folder / "0.txt");
    REQUIRE(cache.Find("0.txt", f.now).is_file());

    options.max_memory = 250;
    FileCache small(options, f.background);
    for (int i = 0; i < 4; ++i) {
        REQUIRE(small.Find(std::to_string(i + 1) + ".txt", f.now).is_file());
    }
    REQUIRE(small.memory() == 200);

    options.max_files = 0;
    FileCache none(options, f.background);
    REQUIRE(none.Find("1.txt", f.now).is_file());
    REQUIRE(none.Find("1.txt", f.now).plain.content.size() == 100);
    REQUIRE(none.files() == 0);
}

TEST_CASE("file_cache: a very long name is answered, not kept") {
    Fixture f;
    FileCache cache(f.Options(), f.background);
    REQUIRE_FALSE(cache.Find(std::string(5000, 'x'), f.now).is_file());
    REQUIRE(cache.missing() == 0);
}

TEST_CASE("file_cache: another folder under the root's name empties it") {
    Fixture f;
    f.folder.Write("one/a.txt", "one");
    f.folder.Write("two/a.txt", "two");
    f.folder.Link("one", "current");
    FileCache::Options options = f.Options();
    options.root.folder = f.folder / "current";
    FileCache cache(options, f.background);
    REQUIRE(cache.Find("a.txt", f.now).plain.content == "one");
    std::filesystem::remove(f.folder / "current");
    f.folder.Link("two", "current");
    REQUIRE(cache.Find("a.txt", f.now + 1s).plain.content == "two");
}
