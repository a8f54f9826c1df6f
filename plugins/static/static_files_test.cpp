#include "plugins/static/static_files.hpp"

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::static_files;

namespace {

struct Fixture {
    Fixture() {
        config.dir = folder.path();
        folder.Write("a.txt", "text");
        folder.Write("a.php", "<?php");
        folder.Write("README", "readme");
        folder.Write(".hidden", "hidden");
        folder.Write("docs/index.html", "docs");
        folder.Write("about.html", "about");
        folder.Write("index.html", "app");
    }
    // The body, or the status of an answer without one, or `worker`.
    std::string Get(std::string target, std::string method = "GET",
                    FieldsForTest::Pairs fields = {}) {
        StaticFiles files(config, background);
        RequestForTest request(std::move(fields));
        request.target_text = std::move(target);
        request.method_text = std::move(method);
        answer = HttpAnswer{};
        seen.clear();
        if (!files.Answer(request, answer, [] { return Instant{}; })) {
            return "worker";
        }
        seen = std::string(request.Header("X-Req"));
        return answer.status == 200 ? answer.body : std::to_string(answer.status);
    }
    std::string Header(Bytes name) const { return std::string(answer.headers.Get(name)); }
    files::FolderForTest folder;
    files::Foreground background;
    StaticConfig config;
    HttpAnswer answer;
    std::string seen;
};

const FieldsForTest::Pairs kBrowser = {{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}};

}  // namespace

TEST_CASE("static: a file is served, everything else goes to a worker") {
    Fixture f;
    REQUIRE(f.Get("/a.txt") == "text");
    REQUIRE(f.Get("//a.txt?x") == "text");
    REQUIRE(f.Get("/a%2Etxt") == "text");
    REQUIRE(f.Get("/.hidden") == "hidden");
    REQUIRE(f.Get("/a.php") == "<?php");
    for (const char* target : {"/", "/README", "/b.txt", "/a.txt/", "/docs", "/docs/", "/a%00.txt",
                               "/%zz.txt", "/a\\b.txt", "*"}) {
        INFO(target);
        REQUIRE(f.Get(target) == "worker");
    }
}

TEST_CASE("static: two dots anywhere are 403") {
    Fixture f;
    for (const char* target : {"/../a.txt", "/a..b.txt", "/%2e%2e/a.txt", "/x/.."}) {
        INFO(target);
        REQUIRE(f.Get(target) == "403");
        REQUIRE(f.answer.body.empty());
    }
}

TEST_CASE("static: any method gets the file") {
    Fixture f;
    REQUIRE(f.Get("/a.txt", "DELETE") == "text");
    REQUIRE(f.Get("/a.txt", "HEAD") == "text");  // http leaves the body out
}

TEST_CASE("static: forbid beats allow") {
    Fixture f;
    f.config.forbid = {"php"};
    REQUIRE(f.Get("/a.php") == "worker");
    REQUIRE(f.Get("/a.PHP") == "worker");
    REQUIRE(f.Get("/a.txt") == "text");
    f.config.allow = {"php", "html"};
    REQUIRE(f.Get("/a.php") == "worker");
    REQUIRE(f.Get("/a.txt") == "worker");
    REQUIRE(f.Get("/about.html") == "about");
}

TEST_CASE("static: headers are set on hits only") {
    Fixture f;
    f.config.request = {{"X-Req", "1"}};
    f.config.response = {{"X-Res", "2"}};
    REQUIRE(f.Get("/a.txt") == "text");
    REQUIRE(f.Header("X-Res") == "2");
    REQUIRE(f.seen == "1");
    REQUIRE(f.Get("/b.txt") == "worker");
    REQUIRE(f.seen.empty());
    REQUIRE(f.answer.headers.empty());
}

TEST_CASE("static: an extension that no worker serves") {
    Fixture f;
    f.config.always = {"txt"};
    REQUIRE(f.Get("/a.txt") == "text");
    REQUIRE(f.Get("/b.txt") == "404");
    REQUIRE(f.Get("/b.css") == "worker");
    REQUIRE(f.Get("/b") == "worker");
}

TEST_CASE("static: index files") {
    Fixture f;
    f.config.index = {"index.htm", "index.html"};
    REQUIRE(f.Get("/docs/") == "docs");
    REQUIRE(f.Get("/") == "app");
    REQUIRE(f.Get("/docs?a=1") == "301");
    REQUIRE(f.Header("Location") == "/docs/?a=1");
    REQUIRE(f.Get("//docs") == "301");
    REQUIRE(f.Header("Location") == "/docs/");
    REQUIRE(f.Get("/nothing/") == "worker");
    f.folder.Write("empty/x.txt", "x");
    REQUIRE(f.Get("/empty") == "worker");
    REQUIRE(f.Get("/empty/") == "worker");
}

TEST_CASE("static: names that are tried") {
    Fixture f;
    f.config.try_files = {"{path}.html", "{path}/index.html"};
    REQUIRE(f.Get("/about") == "about");
    REQUIRE(f.Get("/docs") == "docs");
    REQUIRE(f.Get("/docs/") == "docs");
    REQUIRE(f.Get("/") == "app");
    REQUIRE(f.Get("/about/") == "worker");
    REQUIRE(f.Get("/user/7") == "worker");
    f.config.forbid = {"html"};
    REQUIRE(f.Get("/about") == "worker");
}

TEST_CASE("static: a form that is posted to a page's path reaches a worker") {
    Fixture f;
    f.config.index = {"index.html"};
    f.config.try_files = {"{path}.html"};
    f.config.fallback = "index.html";
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        INFO(method);
        for (const char* target : {"/about", "/docs", "/docs/", "/", "/user/7"}) {
            REQUIRE(f.Get(target, method, kBrowser) == "worker");
            REQUIRE(f.answer.headers.empty());
        }
        REQUIRE(f.Get("/a.txt", method, kBrowser) == "text");
    }
    for (const char* method : {"GET", "HEAD"}) {
        REQUIRE(f.Get("/about", method) == "about");
        REQUIRE(f.Get("/docs", method) == "301");
        REQUIRE(f.Get("/docs/", method) == "docs");
    }
}

TEST_CASE("static: a forbidden extension goes past try_files, fallback and always") {
    Fixture f;
    f.folder.Write("login.php.html", "no");
    f.folder.Write("v1.php/index.html", "no");
    f.config.index = {"index.html"};
    f.config.try_files = {"{path}.html"};
    f.config.fallback = "index.html";
    f.config.always = {"php", "css"};
    f.config.forbid = {"php"};
    for (const char* target : {"/login.php", "/LOGIN.PHP", "/a.php", "/v1.php"}) {
        INFO(target);
        REQUIRE(f.Get(target, "GET", kBrowser) == "worker");
    }
    REQUIRE(f.Get("/user.name", "GET", kBrowser) == "app");
    REQUIRE(f.Get("/b.css") == "404");
    f.config.allow = {"html"};
    REQUIRE(f.Get("/user.name", "GET", kBrowser) == "worker");
    REQUIRE(f.Get("/b.css") == "worker");
    REQUIRE(f.Get("/about.html") == "about");
}

TEST_CASE("static: a long extension is compared to its end") {
    Fixture f;
    f.folder.Write("a.sublime-workspace", "mine");
    REQUIRE(f.Get("/a.sublime-workspace") == "mine");
    f.config.forbid = {"sublime-workspace"};
    REQUIRE(f.Get("/a.sublime-workspace") == "worker");
    REQUIRE(f.Get("/a.Sublime-Workspace") == "worker");
    f.config.forbid = {"sublime-workspac"};
    REQUIRE(f.Get("/a.sublime-workspace") == "mine");
}

TEST_CASE(
    "static: the fallback is never kept without a question, and says that it depends on Accept") {
    Fixture f;
    f.config.fallback = "index.html";
    f.config.response = {{"Cache-Control", "public, max-age=31536000"}, {"X-Res", "2"}};
    REQUIRE(f.Get("/user/7", "GET", kBrowser) == "app");
    REQUIRE(f.Header("Cache-Control") == "no-cache");
    REQUIRE(f.Header("Vary") == "Accept");
    REQUIRE(f.Header("X-Res") == "2");
    REQUIRE(f.Get("/index.html", "GET", kBrowser) == "app");
    REQUIRE(f.Header("Cache-Control") == "public, max-age=31536000");
    REQUIRE(f.Header("Vary").empty());
    f.config.response.clear();
    REQUIRE(f.Get("/user/7", "GET", kBrowser) == "app");
    REQUIRE(f.Header("Cache-Control") == "no-cache");
}

TEST_CASE("static: the fallback of an application in the browser") {
    Fixture f;
    f.config.fallback = "index.html";
    f.config.fallback_exclude = {"api"};
    f.config.cache_control = "public, max-age=60";
    REQUIRE(f.Get("/user/7", "GET", kBrowser) == "app");
    REQUIRE(f.Header("Cache-Control") == "no-cache");
    REQUIRE(f.Get("/user/7", "HEAD", kBrowser) == "app");
    REQUIRE(f.Get("/a.txt", "GET", kBrowser) == "text");
    REQUIRE(f.Header("Cache-Control") == "public, max-age=60");
    REQUIRE(f.Get("/user/7", "POST", kBrowser) == "worker");
    REQUIRE(f.Get("/user/7", "GET", {{"Accept", "application/json"}}) == "worker");
    REQUIRE(f.Get("/user/7") == "worker");
    REQUIRE(f.Get("/api", "GET", kBrowser) == "worker");
    REQUIRE(f.Get("/api/x", "GET", kBrowser) == "worker");
    REQUIRE(f.Get("/apix", "GET", kBrowser) == "app");
}
