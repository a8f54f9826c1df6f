#include "plugins/gzip/gzip.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "plugins/gzip/decode_for_test.hpp"

namespace rr::gzip {
namespace {

using Step = HttpBodyFilter::Step;
using Pairs = FieldsForTest::Pairs;

const std::string kPage = "<p>" + std::string(2000, 'x') + "</p>";

// An answer of known size on its way to a client.
struct Way {
    explicit Way(Pairs headers, std::string_view accept = "gzip", GzipConfig config = {})
        : gzip(std::move(config)), response(std::move(headers)) {
        if (!accept.empty()) {
            request.fields.Add("Accept-Encoding", accept);
        }
        response.size = static_cast<int64_t>(kPage.size());
    }
    Way& Go() {
        gzip.OnResponse(request, response);
        return *this;
    }
    bool compressed() const { return !response.filters.empty(); }
    std::string_view Header(std::string_view name) const { return response.fields.Get(name); }

    Gzip gzip;
    RequestForTest request;
    ResponseForTest response;
};

const Pairs kHtml = {{"Content-Type", "text/html"}};

Pairs HtmlAnd(std::string name, std::string value) {
    Pairs pairs = kHtml;
    pairs.emplace_back(std::move(name), std::move(value));
    return pairs;
}

}  // namespace

TEST_CASE("gzip: a page is compressed for a client that says so") {
    for (auto [accept, encoding] : {std::pair{"gzip", Encoding::kGzip},
                                    {"gzip, deflate, br", Encoding::kBrotli},
                                    {"gzip, deflate, br, zstd", Encoding::kZstd}}) {
        Way way(HtmlAnd("Accept-Ranges", "bytes"), accept);
        way.Go();
        REQUIRE(way.Header("Content-Encoding") == NameOf(encoding));
        REQUIRE(way.Header("Vary") == "Accept-Encoding");
        REQUIRE(way.Header("Accept-Ranges").empty());
        REQUIRE(DecodeForTest(encoding, way.response.Run(kPage)) == kPage);
    }
}

TEST_CASE("gzip: other clients get the page as it is, and caches learn that it varies") {
    for (const char* accept : {"", "identity", "gzip;q=0", "deflate", "br;q=0"}) {
        Way way(kHtml, accept);
        way.Go();
        REQUIRE_FALSE(way.compressed());
        REQUIRE(way.Header("Content-Encoding").empty());
        REQUIRE(way.Header("Vary") == "Accept-Encoding");
    }
}

TEST_CASE("gzip: a body that a file takes the place of stays as it is, and so does its tag") {
    Pairs pairs = HtmlAnd("X-Sendfile", "a.pdf");
    pairs.emplace_back("ETag", "\"v1\"");
    Way way(pairs);
    way.Go();
    REQUIRE_FALSE(way.compressed());
    REQUIRE(way.Header("Content-Encoding").empty());
    REQUIRE(way.Header("ETag") == "\"v1\"");
    REQUIRE(way.Header("Vary").empty());
    REQUIRE(way.Header("X-Sendfile") == "a.pdf");
    REQUIRE(Way(HtmlAnd("X-Sendfile", "")).Go().compressed());  // names none
}

TEST_CASE("gzip: several Accept-Encoding lines count together") {
    Way way(kHtml, "deflate");
    way.request.fields.Add("accept-encoding", "br");
    way.Go();
    REQUIRE(way.Header("Content-Encoding") == "br");
}

TEST_CASE("gzip: short answers stay as they are, without a Vary") {
    Way way(kHtml);
    way.response.size = 1023;
    way.Go();
    REQUIRE_FALSE(way.compressed());
    REQUIRE(way.response.fields.size() == 1);
    way.response.size = 1024;
    way.Go();
    REQUIRE(way.compressed());

    SECTION("a stream's length counts where the worker promised one") {
        for (auto [length, expected] : {std::pair{"100", false}, {"5000", true}, {"x", true}}) {
            Way stream(HtmlAnd("Content-Length", length));
            stream.response.size = -1;
            stream.Go();
            REQUIRE(stream.compressed() == expected);
        }
    }
}

TEST_CASE("gzip: what must not be touched is not") {
    for (auto [name, value] : {std::pair{"Content-Encoding", "br"},
                               {"content-encoding", "identity"},
                               {"Content-Range", "bytes 0-9/10"},
                               {"Cache-Control", "public, No-Transform"},
                               {"Content-Digest", "sha-256=:abc=:"},
                               {"Content-MD5", "x"}}) {
        INFO(name);
        Way way(HtmlAnd(name, value));
        way.Go();
        REQUIRE_FALSE(way.compressed());
        REQUIRE(way.response.fields.size() == 2);
    }
    Way part(kHtml);
    part.response.code = 206;
    REQUIRE_FALSE(part.Go().compressed());
    Way picture(Pairs{{"Content-Type", "image/png"}});
    REQUIRE_FALSE(picture.Go().compressed());
    REQUIRE(picture.Header("Vary").empty());
    Way unknown(Pairs{});
    REQUIRE_FALSE(unknown.Go().compressed());
}

TEST_CASE("gzip: a body without a type is looked at, and what is found is said") {
    Way page(Pairs{});
    page.response.start = "<!DOCTYPE html><p>x";
    REQUIRE(page.Go().compressed());
    REQUIRE(page.Header("Content-Type") == "text/html; charset=utf-8");
    Way picture(Pairs{});
    picture.response.start = "\x89PNG\r\n\x1A\n....";
    REQUIRE_FALSE(picture.Go().compressed());
    REQUIRE(picture.response.fields.size() == 0);
}

TEST_CASE("gzip: No-Gzip-Compression is for us, not for the client") {
    for (int64_t size : {int64_t{5}, int64_t{5000}}) {
        Way way(HtmlAnd("No-Gzip-Compression", "1"));
        way.response.size = size;
        way.Go();
        REQUIRE_FALSE(way.compressed());
        REQUIRE(way.response.fields.size() == 1);
    }
}

TEST_CASE("gzip: a strong tag becomes a weak one where the bytes change") {
    Way way(HtmlAnd("ETag", "\"abc\""));
    REQUIRE(way.Go().Header("ETag") == "W/\"abc\"");
    Way weak(HtmlAnd("ETag", "W/\"abc\""));
    REQUIRE(weak.Go().Header("ETag") == "W/\"abc\"");
    Way plain(HtmlAnd("ETag", "\"abc\""), "");
    REQUIRE(plain.Go().Header("ETag") == "\"abc\"");
}

TEST_CASE("gzip: an answer without a body says only that it varies") {
    Way head(HtmlAnd("ETag", "\"abc\""));
    head.request.method_text = "HEAD";
    head.response.body_comes = false;
    head.Go();
    REQUIRE_FALSE(head.compressed());
    REQUIRE(head.Header("Content-Encoding").empty());
    REQUIRE(head.Header("Vary") == "Accept-Encoding");

    Way none(kHtml);
    none.response.code = 204;
    none.response.body_comes = false;
    none.response.size = 0;
    REQUIRE(none.Go().response.fields.size() == 1);

    SECTION("304 names the tag under which the client has the compressed bytes") {
        for (auto [asked, told] : {std::pair{"W/\"abc\"", "W/\"abc\""},
                                   {"\"x\", W/\"abc\"", "W/\"abc\""},
                                   {"\"abc\"", "\"abc\""}}) {
            Way unchanged(Pairs{{"ETag", "\"abc\""}});
            unchanged.request.fields.Add("If-None-Match", asked);
            unchanged.response.code = 304;
            unchanged.response.body_comes = false;
            unchanged.Go();
            REQUIRE(unchanged.Header("ETag") == told);
            REQUIRE(unchanged.Header("Vary") == "Accept-Encoding");
        }
    }
}

TEST_CASE("gzip: Vary becomes one line that names Accept-Encoding once") {
    Way one(HtmlAnd("Vary", "Origin"));
    REQUIRE(one.Go().Header("Vary") == "Origin, Accept-Encoding");
    Pairs pairs = HtmlAnd("vary", "Origin");
    pairs.emplace_back("Vary", "Cookie");
    Way two(pairs);
    REQUIRE(two.Go().Header("Vary") == "Origin, Cookie, Accept-Encoding");
    REQUIRE(two.response.fields.Count("Vary") == 1);
    for (const char* enough : {"accept-encoding", "Origin, Accept-Encoding", "*"}) {
        Way way(HtmlAnd("Vary", enough));
        REQUIRE(way.Go().Header("Vary") == enough);
    }
}

TEST_CASE("gzip: each piece of a stream arrives at once") {
    Way way(Pairs{{"Content-Type", "text/event-stream"}}, "gzip, deflate, br, zstd");
    way.response.size = -1;
    way.Go();
    REQUIRE(way.Header("Content-Encoding") == "gzip");  // the one that takes the least memory
    std::string got = way.response.Run("data: 1\n\n", Step::kFlush);
    REQUIRE(DecodeForTest(Encoding::kGzip, got) == "data: 1\n\n");
    got += way.response.Run("data: 2\n\n", Step::kFlush);
    REQUIRE(DecodeForTest(Encoding::kGzip, got) == "data: 1\n\ndata: 2\n\n");
}

TEST_CASE("gzip: beyond max_memory answers go as they are") {
    GzipConfig config;
    config.max_memory = Compressors::MemoryOf(Encoding::kGzip);
    Way way(kHtml, "gzip", config);
    REQUIRE(way.Go().compressed());
    ResponseForTest second(kHtml);
    second.size = static_cast<int64_t>(kPage.size());
    way.gzip.OnResponse(way.request, second);
    REQUIRE(second.filters.empty());
    REQUIRE(second.fields.Get("Content-Encoding").empty());
    REQUIRE(second.fields.Get("Vary") == "Accept-Encoding");
    std::vector<MetricFamily> families;
    way.gzip.Collect(families);
    REQUIRE(families.at(0).name == "rr_http_compressed_total");
    REQUIRE(families.at(0).samples.at(2).value == 1);
    REQUIRE(families.at(1).samples.at(0).value == 1);
}

TEST_CASE("gzip: types and encodings of the user's") {
    GzipConfig config;
    config.types = {"application/json"};
    config.encodings = {Encoding::kGzip};
    Way html(kHtml, "gzip, br", config);
    REQUIRE_FALSE(html.Go().compressed());
    Way json(Pairs{{"Content-Type", "application/json"}}, "gzip, br", config);
    REQUIRE(json.Go().Header("Content-Encoding") == "gzip");
}

}  // namespace rr::gzip
