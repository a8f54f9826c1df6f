#include "plugins/fileserver/file_server.hpp"

#include <catch2/catch.hpp>

#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::fileserver;

namespace {

struct Fixture {
    Fixture() {
        folder.Write("one/a.txt", "one");
        folder.Write("one/index.html", "index");
        folder.Write("two/b.php", "<?php");
        folder.Write("two/a.txt", "two");
        folder.Write("two/long.css", std::string(100'000, 'x'));
        config.directory = folder.path();
        config.serve.resize(2);
        config.serve[0].prefix = "/files";
        config.serve[0].root = folder / "one";
        config.serve[1].root = folder / "two";
    }
    web::Answer Get(std::string path, std::vector<std::pair<std::string, std::string>> fields = {},
                    std::string method = "GET") {
        FileServer server(config, background);
        return server.Answer({std::move(method), std::move(path), "", std::move(fields)}, {});
    }
    static std::string Header(const web::Answer& answer, Bytes name) {
        for (const auto& [key, value] : answer.headers) {
            if (key == name) {
                return value;
            }
        }
        return {};
    }
    files::FolderForTest folder;
    files::Foreground background;
    FileServerConfig config;
};

}  // namespace

TEST_CASE("fileserver: prefixes in their order, without case; folders have an index") {
    Fixture f;
    REQUIRE(f.Get("/files/a.txt").body == "one");
    REQUIRE(f.Get("/FILES/a.txt").body == "one");
    REQUIRE(f.Get("/files").body == "index");
    REQUIRE(f.Get("/files/").body == "index");
    REQUIRE(f.Get("/a.txt").body == "two");
    REQUIRE(f.Get("/b.php").body == "<?php");
}

TEST_CASE("fileserver: what is not there, and other methods") {
    Fixture f;
    for (const char* path :
         {"/missing", "/filesa.txt", "/", "/files/../a.txt", "/%2e%2e/one/a.txt"}) {
        const web::Answer answer = f.Get(path);
        REQUIRE(answer.status == 404);
        REQUIRE(answer.body == std::string("Cannot GET ") + path);
    }
    REQUIRE(f.Get("/a.txt", {}, "POST").body == "Cannot POST /a.txt");
    REQUIRE(f.Get("/a.txt", {}, "HEAD").status == 200);
}

TEST_CASE("fileserver: ETag, age and ranges as configured") {
    Fixture f;
    web::Answer answer = f.Get("/a.txt", {{"range", "bytes=0-0"}});
    REQUIRE(answer.status == 200);
    REQUIRE(f.Header(answer, "ETag").empty());
    REQUIRE(f.Header(answer, "Accept-Ranges").empty());
    REQUIRE(f.Header(answer, "Cache-Control").empty());
    f.config.calculate_etag = true;
    f.config.serve[1].bytes_range = true;
    f.config.serve[1].max_age = 60;
    answer = f.Get("/a.txt", {{"range", "bytes=0-0"}});
    REQUIRE(answer.status == 206);
    REQUIRE(answer.body == "t");
    const std::string etag =
        "\"3-" + std::to_string(files::Checksum(files::Polynomial::kFileserver, "two")) + "\"";
    REQUIRE(f.Header(answer, "ETag") == etag);
    REQUIRE(f.Header(answer, "Cache-Control") == "public, max-age=60");
    REQUIRE(f.Get("/a.txt", {{"if-none-match", etag}}).status == 304);
}

TEST_CASE("fileserver: compressed in memory, no file beside the source") {
    Fixture f;
    f.config.calculate_etag = true;
    f.config.serve[1].compress = true;
    const web::Answer answer = f.Get("/long.css", {{"accept-encoding", "gzip"}});
    REQUIRE(f.Header(answer, "Content-Encoding") == "gzip");
    REQUIRE(f.Header(answer, "Vary") == "Accept-Encoding");
    REQUIRE(answer.body.size() < 1000);
    REQUIRE(answer.body.substr(0, 2) == "\x1f\x8b");
    const web::Answer plain = f.Get("/long.css");
    REQUIRE(f.Header(plain, "Content-Encoding").empty());
    REQUIRE(f.Header(plain, "ETag") != f.Header(answer, "ETag"));
    REQUIRE(f.Header(f.Get("/a.txt", {{"accept-encoding", "gzip"}}), "Content-Encoding").empty());
    REQUIRE_FALSE(std::filesystem::exists(f.folder / "two/long.css.fiber.gz"));
}
