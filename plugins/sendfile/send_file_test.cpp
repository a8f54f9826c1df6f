#include "plugins/sendfile/send_file.hpp"

#include <optional>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::sendfile;

namespace {

struct Fixture {
    Fixture() {
        folder.Write("a.txt", "hello file");
        folder.Write("a.bin", "%PDF-1.4");
        folder.Write("empty.txt", "");
        folder.Write("private/b.txt", "b");
        config.directory = folder.path();
    }
    // `status body`.
    std::string Send(const std::string& path, FieldsForTest::Pairs asked = {}, int status = 200,
                     FieldsForTest::Pairs said = {}) {
        said.emplace_back("x-sendfile", path);
        response.emplace(std::move(said));
        response->code = status;
        response->start = "of the worker";
        RequestForTest request(std::move(asked));
        SendFile(config, {}).Apply(request, *response);
        std::string body = response->start;
        if (response->file.file) {
            std::string part(static_cast<size_t>(response->file.size), '\0');
            REQUIRE(response->file.file->ReadAt(response->file.offset, part.data(), part.size()));
            body += part;
        }
        REQUIRE(response->Header("X-Sendfile").empty());
        return std::to_string(response->code) + " " + body;
    }
    std::string Header(std::string_view name) const { return std::string(response->Header(name)); }

    files::FolderForTest folder;
    SendFileConfig config;
    std::optional<ResponseForTest> response;
};

}  // namespace

TEST_CASE("sendfile: an answer without the header stays as it is") {
    ResponseForTest response;
    response.start = "of the worker";
    SendFile({}, {}).Apply(RequestForTest(), response);
    REQUIRE(response.start == "of the worker");
    REQUIRE(response.fields.size() == 0);
}

TEST_CASE("sendfile: an empty header names no file and does not reach the client") {
    Fixture f;
    REQUIRE(f.Send("", {}, 201) == "201 of the worker");
}

TEST_CASE("sendfile: relative and absolute names, the worker's status and headers") {
    Fixture f;
    REQUIRE(f.Send("a.txt") == "200 hello file");
    REQUIRE(f.Header("Content-Type") == "text/plain; charset=utf-8");
    REQUIRE(f.Header("Accept-Ranges") == "bytes");
    REQUIRE(f.Send(f.folder / "a.txt", {}, 203, {{"Content-Type", "x/y"}}) == "203 hello file");
    REQUIRE(f.Header("Content-Type") == "x/y");
    REQUIRE(f.Send("a.bin") == "200 %PDF-1.4");
    REQUIRE(f.Send("empty.txt") == "200 ");
}

TEST_CASE("sendfile: what can't be sent") {
    Fixture f;
    REQUIRE(f.Send("private/../a.txt") == "403 ");
    REQUIRE(f.Send("a..txt") == "403 ");
    REQUIRE(f.Send("missing.txt") == "404 not found\n");
    REQUIRE(f.Header("Content-Type") == "text/plain; charset=utf-8");
    REQUIRE(f.Send("private") == "500 Is a directory\n");
    REQUIRE(f.Send("/dev/null") == "500 Permission denied\n");
}

TEST_CASE("sendfile: only below the roots, links or not") {
    Fixture f;
    f.config.roots = {f.folder / "private"};
    f.folder.Link("../a.txt", "private/link.txt");
    REQUIRE(f.Send("private/b.txt") == "200 b");
    REQUIRE(f.Send("a.txt") == "403 ");
    REQUIRE(f.Send("private/link.txt") == "403 ");
    f.config.roots = {f.folder / "nowhere"};
    REQUIRE(f.Send("private/b.txt") == "403 ");
}

TEST_CASE("sendfile: a range") {
    Fixture f;
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=1-3"}}) == "206 ell");
    REQUIRE(f.Header("Content-Range") == "bytes 1-3/10");
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=10-"}}) == "416 invalid range: failed to overlap\n");
    REQUIRE(f.Header("Content-Range") == "bytes */10");
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=0-0,2-2"}}) == "200 hello file");
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=1-3"}}, 201) == "201 hello file");
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=1-3"}, {"If-Range", "\"v\""}}) == "200 hello file");
    REQUIRE(f.Send("a.txt", {{"Range", "bytes=1-3"}, {"If-Range", "\"v\""}}, 200,
                   {{"ETag", "\"v\""}}) == "206 ell");
}

TEST_CASE("sendfile: validators, the worker's before ours") {
    Fixture f;
    f.Send("a.txt");
    const std::string date = f.Header("Last-Modified");
    REQUIRE(f.Send("a.txt", {{"If-Modified-Since", date}}) == "304 ");
    REQUIRE(f.Header("Content-Type").empty());
    REQUIRE(f.Send("a.txt", {{"If-None-Match", "\"v\""}}, 200, {{"ETag", "\"v\""}}) == "304 ");
    REQUIRE(f.Send("a.txt", {{"If-Modified-Since", date}}, 200,
                   {{"Last-Modified", "Sun, 06 Nov 2044 08:49:37 GMT"}}) == "200 hello file");
    REQUIRE(f.Send("a.txt", {{"If-Match", "\"w\""}}, 200, {{"ETag", "\"v\""}}) == "412 ");
}
