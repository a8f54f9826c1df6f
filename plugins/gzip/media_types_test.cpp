#include "plugins/gzip/media_types.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace rr::gzip {

TEST_CASE("media types: texts are worth it, what is dense already is not") {
    for (const char* loose :
         {"text/html; charset=UTF-8", "TEXT/CSS", "application/json", "application/ld+json",
          "text/event-stream", "application/xml", "image/svg+xml", "image/bmp", "Image/X-Icon",
          "application/wasm", "font/ttf", "application/octet-stream", "application/problem+json",
          "multipart/form-data; boundary=zip", "x"}) {
        INFO(loose);
        REQUIRE(IsCompressible(loose));
    }
    for (const char* dense :
         {"image/png", "image/jpeg", "IMAGE/WEBP", "image/avif", "video/mp4", "Audio/ogg",
          "application/zip", "application/x-gzip", "application/gzip", "application/x-xz",
          "application/zstd", "application/x-7z-compressed", "application/pdf", "font/woff2",
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
          "application/x-brotli", "application/x-stuffit", "application/grpc+proto"}) {
        INFO(dense);
        REQUIRE_FALSE(IsCompressible(dense));
    }
}

TEST_CASE("media types: a list of the user's replaces that") {
    const std::vector<std::string> types = {"text/*", "application/json"};
    REQUIRE(IsAmong("Text/Html; charset=utf-8", types));
    REQUIRE(IsAmong("application/JSON", types));
    REQUIRE_FALSE(IsAmong("application/jsonp", types));
    REQUIRE_FALSE(IsAmong("textual/html", types));
    REQUIRE_FALSE(IsAmong("text", types));
    REQUIRE(IsAmong("image/png", std::vector<std::string>{"*"}));
}

}  // namespace rr::gzip
