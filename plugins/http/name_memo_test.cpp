#include "plugins/http/name_memo.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr::http;

namespace {

// What one answer with these names gets.
std::vector<std::string> FindAll(NameMemo& memo, const std::vector<std::string>& names) {
    rr::Buffer scratch(64 * 1024);
    memo.Begin(scratch);
    std::vector<rr::Bytes> views;
    for (const std::string& name : names) {
        views.push_back(memo.Find(name).canonical);
    }
    return {views.begin(), views.end()};
}

}  // namespace

TEST_CASE("name memo: a name is the same when it comes again") {
    NameMemo memo;
    const std::vector<std::string> names = {"x-a", "RateLimit-Limit", "content-TYPE", "x b", "",
                                            "x-a"};
    const std::vector<std::string> canonical = {"X-A", "Ratelimit-Limit", "Content-Type", "", "",
                                                "X-A"};
    REQUIRE(FindAll(memo, names) == canonical);
    REQUIRE(FindAll(memo, names) == canonical);
    rr::Buffer scratch(64);
    memo.Begin(scratch);
    REQUIRE(memo.Find("content-TYPE").id == HeaderId::kContentType);
    REQUIRE(memo.Find("x-a").id == HeaderId::kOther);
    REQUIRE(memo.Find("Content-Length").start == memo.Find("Content-Type").start);
    REQUIRE(memo.Find("Age").start < memo.Find("Agf").start);
    REQUIRE(memo.Find("Age").start < memo.Find("Age-").start);
}

TEST_CASE("name memo: many names of one answer keep their places") {
    NameMemo memo;
    std::vector<std::string> names;
    std::vector<std::string> canonical;
    for (int i = 0; i < 300; ++i) {
        names.push_back("x-name-" + std::to_string(i));
        canonical.push_back("X-Name-" + std::to_string(i));
    }
    names.push_back(std::string(500, 'n'));
    canonical.push_back("N" + std::string(499, 'n'));
    for (int answer = 0; answer < 3; ++answer) {
        REQUIRE(FindAll(memo, names) == canonical);
    }
}
