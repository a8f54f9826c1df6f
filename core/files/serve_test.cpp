#include "core/files/serve.hpp"

#include <catch2/catch.hpp>

#include "core/files/folder_for_test.hpp"

using namespace rr;
using namespace rr::files;

namespace {

struct Fixture {
    Fixture() {
        folder.Write("a.txt", "hello static\n");
        folder.Write("empty.txt", "");
        folder.Write("large.bin", std::string(50'000, 'l') + std::string(50'000, 'r'));
        folder.Write("a.js", "plain");
        folder.Write("a.js.br", "brotli");
        folder.Write("a.js.gz", "gzip");
    }
    HttpAnswer Get(Bytes name, std::vector<HttpField> fields = {}, Bytes method = "GET") {
        FileCache::Options cached;
        cached.root.folder = folder.path();
        cached.etag = etag;
        cached.precompressed = true;
        FileCache cache(cached, background);
        FileRequest request;
        request.method = method;
        for (const HttpField& field : fields) {
            request.conditions.Take(field.name, field.value);
            if (field.name == "Accept-Encoding") {
                request.AddEncodings(field.value);
            }
        }
        HttpAnswer answer;
        Serve(request, cache.Find(name, {}), options, answer);
        return answer;
    }
    FolderForTest folder;
    Foreground background;
    ServeOptions options;
    ETag etag = ETag::kStrong;
};

std::string Header(const HttpAnswer& answer, Bytes name) {
    std::string found;
    for (const auto& [key, value] : answer.headers) {
        if (key == name) {
            found.append(found.empty() ? "" : "|").append(value);
        }
    }
    return found;
}

// The body as it goes out.
std::string Body(const HttpAnswer& answer) {
    std::string body = answer.body;
    for (const HttpPiece& piece : answer.pieces) {
        body += piece.text;
        std::string part(static_cast<size_t>(piece.file.size), '\0');
        if (piece.file.file) {
            REQUIRE(piece.file.file->ReadAt(piece.file.offset, part.data(), part.size()));
        }
        body += part;
    }
    return body;
}

}  // namespace

TEST_CASE("serve: a whole file") {
    Fixture f;
    const HttpAnswer answer = f.Get("a.txt");
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == "hello static\n");
    REQUIRE(answer.pieces.empty());
    REQUIRE(Header(answer, "Content-Type") == "text/plain; charset=utf-8");
    REQUIRE(Header(answer, "ETag") == "\"13-4037175136\"");
    REQUIRE(Header(answer, "Accept-Ranges") == "bytes");
    REQUIRE(Header(answer, "Last-Modified").size() == kHttpDateSize);
    REQUIRE(Header(answer, "Vary").empty());
    const HttpAnswer large = f.Get("large.bin");
    REQUIRE(large.body.empty());
    REQUIRE(Body(large).size() == 100'000);
}

TEST_CASE("serve: headers of the configuration, whose type wins") {
    Fixture f;
    f.options.headers = {{"X-A", "1"}, {"content-type", "text/x"}};
    f.options.cache_control = "public, max-age=60";
    HttpAnswer answer = f.Get("a.txt");
    REQUIRE(Header(answer, "X-A") == "1");
    REQUIRE(Header(answer, "content-type") == "text/x");
    REQUIRE(Header(answer, "Content-Type").empty());
    REQUIRE(Header(answer, "Cache-Control") == "public, max-age=60");
    answer = f.Get("a.txt", {{"Range", "bytes=0-1"}});
    REQUIRE(Header(answer, "Content-Type") == "text/x");
    REQUIRE(Header(answer, "content-type").empty());
    f.options.headers = {{"cache-control", "no-store"}};
    answer = f.Get("a.txt");
    REQUIRE(Header(answer, "Cache-Control").empty());
}

TEST_CASE("serve: not modified says no more than needed") {
    Fixture f;
    f.options.headers = {{"X-A", "1"}};
    HttpAnswer answer = f.Get("a.txt", {{"If-None-Match", "\"13-4037175136\""}});
    REQUIRE(answer.status == 304);
    REQUIRE(Body(answer).empty());
    REQUIRE(answer.headers.size() == 2);
    REQUIRE(Header(answer, "ETag") == "\"13-4037175136\"");
    f.etag = ETag::kNone;
    const std::string date = Header(f.Get("a.txt"), "Last-Modified");
    answer = f.Get("a.txt", {{"If-Modified-Since", date}});
    REQUIRE(answer.status == 304);
    REQUIRE(Header(answer, "Last-Modified") == date);
}

TEST_CASE("serve: a precondition that fails") {
    Fixture f;
    REQUIRE(f.Get("a.txt", {{"If-Match", "\"x\""}}).status == 412);
    REQUIRE(f.Get("a.txt", {{"If-None-Match", "*"}}, "DELETE").status == 412);
    REQUIRE(f.Get("a.txt", {}, "DELETE").status == 200);
}

TEST_CASE("serve: If-Match is no failure while the tag of a large file is being computed") {
    Fixture f;
    f.folder.Write("huge.bin", std::string(2 << 20, 'x'));
    struct Never final : Background {
        void Run(Work) override {}
    } never;
    FileCache::Options cached;
    cached.root.folder = f.folder.path();
    cached.etag = ETag::kStrong;
    FileCache cache(cached, never);
    const auto status = [&](Bytes if_match, Bytes range) {
        FileRequest request;
        request.method = "GET";
        request.conditions.Take("If-Match", if_match);
        request.conditions.Take("Range", range);
        HttpAnswer answer;
        Serve(request, cache.Find("huge.bin", {}), f.options, answer);
        return answer.status;
    };
    REQUIRE(status("\"2097152-1\"", "") == 200);
    REQUIRE(status("\"2097152-1\"", "bytes=0-1") == 200);  // all of it: it may be another file
    REQUIRE(status("\"2097151-1\"", "") == 412);
    REQUIRE(status("", "bytes=0-1") == 206);
}

TEST_CASE("serve: one range") {
    Fixture f;
    for (const char* name : {"a.txt", "large.bin"}) {
        const std::string whole = Body(f.Get(name));
        const HttpAnswer answer = f.Get(name, {{"Range", "bytes=2-5"}});
        REQUIRE(answer.status == 206);
        REQUIRE(Body(answer) == whole.substr(2, 4));
        REQUIRE(Header(answer, "Content-Range") == "bytes 2-5/" + std::to_string(whole.size()));
    }
    REQUIRE(Body(f.Get("large.bin", {{"Range", "bytes=49999-50000"}})) == "lr");
    REQUIRE(f.Get("a.txt", {{"Range", "bytes=2-5"}, {"If-Range", "\"x\""}}).status == 200);
    REQUIRE(f.Get("a.txt", {{"Range", "bytes=2-5"}}, "POST").status == 200);
    REQUIRE(f.Get("empty.txt", {{"Range", "bytes=0-5"}}).status == 200);
}

TEST_CASE("serve: several ranges") {
    Fixture f;
    for (const char* name : {"a.txt", "large.bin"}) {
        const std::string whole = Body(f.Get(name));
        const HttpAnswer answer = f.Get(name, {{"Range", "bytes=0-1,-2"}});
        REQUIRE(answer.status == 206);
        const std::string type = Header(answer, "Content-Type");
        const std::string prefix = "multipart/byteranges; boundary=";
        REQUIRE(type.substr(0, prefix.size()) == prefix);
        const std::string boundary = type.substr(prefix.size());
        const std::string size = std::to_string(whole.size());
        const std::string inner = Header(f.Get(name), "Content-Type");
        REQUIRE(Body(answer) ==
                "--" + boundary + "\r\nContent-Range: bytes 0-1/" + size + "\r\nContent-Type: " +
                    inner + "\r\n\r\n" + whole.substr(0, 2) + "\r\n--" + boundary +
                    "\r\nContent-Range: bytes " + std::to_string(whole.size() - 2) + "-" +
                    std::to_string(whole.size() - 1) + "/" + size + "\r\nContent-Type: " + inner +
                    "\r\n\r\n" + whole.substr(whole.size() - 2) + "\r\n--" + boundary + "--\r\n");
    }
}

TEST_CASE("serve: a range outside of the file") {
    Fixture f;
    f.options.cache_control = "public, max-age=60";
    const HttpAnswer answer = f.Get("a.txt", {{"Range", "bytes=13-"}});
    REQUIRE(answer.status == 416);
    REQUIRE(Body(answer) == "invalid range: failed to overlap\n");
    REQUIRE(Header(answer, "Content-Range") == "bytes */13");
    REQUIRE(Header(answer, "Cache-Control").empty());
    REQUIRE(Header(answer, "Content-Type") == "text/plain; charset=utf-8");
}

TEST_CASE("serve: the encoding that the client likes best") {
    Fixture f;
    const auto served = [&f](Bytes accepted) {
        const HttpAnswer answer = f.Get("a.js", {{"Accept-Encoding", accepted}});
        REQUIRE(Header(answer, "Vary") == "Accept-Encoding");
        REQUIRE(Header(answer, "Content-Type") == "text/javascript; charset=utf-8");
        return Body(answer) + " " + Header(answer, "Content-Encoding");
    };
    REQUIRE(served("") == "plain ");
    REQUIRE(served("gzip, deflate, br, zstd") == "brotli br");
    REQUIRE(served("gzip") == "gzip gzip");
    REQUIRE(served("br;q=0.5, gzip;q=0.8") == "gzip gzip");
    REQUIRE(served("br;q=0, *") == "gzip gzip");
    REQUIRE(served("identity") == "plain ");
    REQUIRE(Header(f.Get("a.js", {{"Accept-Encoding", "br"}}), "ETag") !=
            Header(f.Get("a.js"), "ETag"));
}

TEST_CASE("serve: who likes the plain file better gets it, as with the middleware gzip") {
    Fixture f;
    const auto served = [&f](std::vector<HttpField> fields) {
        return Body(f.Get("a.js", std::move(fields)));
    };
    REQUIRE(served({{"Accept-Encoding", "gzip;q=0.5, identity;q=1"}}) == "plain");
    REQUIRE(served({{"Accept-Encoding", "identity;q=1, *;q=0.1"}}) == "plain");
    REQUIRE(served({{"Accept-Encoding", "identity;q=0.5, gzip"}}) == "gzip");
    REQUIRE(served({{"Accept-Encoding", "x-gzip"}}) == "gzip");
    REQUIRE(served({{"Accept-Encoding", "*"}}) == "gzip");
    REQUIRE(served({{"Accept-Encoding", "br;q=2"}}) == "plain");
}

TEST_CASE("serve: several Accept-Encoding lines are one list") {
    Fixture f;
    const auto served = [&f](std::vector<HttpField> fields) {
        return Body(f.Get("a.js", std::move(fields)));
    };
    REQUIRE(served({{"Accept-Encoding", "deflate"}, {"Accept-Encoding", "br"}}) == "brotli");
    REQUIRE(served({{"Accept-Encoding", ""}, {"Accept-Encoding", "gzip"}}) == "gzip");
    REQUIRE(served({{"Accept-Encoding", "gzip;q=0.5"},
                    {"Accept-Encoding", "zstd"},
                    {"Accept-Encoding", "identity"}}) == "plain");
}
