// A file that is known costs no allocation.
#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/base/allocations_for_test.hpp"
#include "core/files/folder_for_test.hpp"
#include "plugins/static/static_files.hpp"

namespace rr::static_files {

TEST_CASE("static: a warm hit costs no allocation, whatever the size") {
    files::FolderForTest folder;
    folder.Write("small.txt", std::string(1024, 'x'));
    folder.Write("folder/large.txt", std::string(100'000, 'x'));
    StaticConfig config;
    config.dir = folder.path();
    config.calculate_etag = true;
    config.cache_control = "public, max-age=31536000, immutable";
    config.response = {
        {"X-A-Header-Of-The-User", "with a value longer than a string holds in place"}};
    files::Foreground background;
    StaticFiles files(config, background);
    const auto now = [] { return Instant{}; };
    for (const char* target :
         {"/small.txt", "/folder/large.txt?query", "//small.txt", "/%73mall.txt"}) {
        RequestForTest request(FieldsForTest::Pairs{{"Accept-Encoding", "gzip"}});
        request.target_text = target;
        HttpAnswer answer;
        const auto hit = [&] {
            answer.headers.Clear();
            answer.body.clear();
            answer.pieces.clear();
            return files.Answer(request, answer, now);
        };
        bool answered = hit();
        const size_t before = AllocationsSoFar();
        for (int i = 0; i < 100; ++i) {
            answered = answered && hit();
        }
        const size_t after = AllocationsSoFar();
        REQUIRE(answered);
        REQUIRE(after == before);
    }
}

}  // namespace rr::static_files
